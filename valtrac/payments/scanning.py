"""The final blocks of a chain read one after the other in search of a transaction."""

from __future__ import annotations

from collections.abc import Collection

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable, Refused
from valtrac.payments.model.batches import Attempt
from valtrac.ports import PayingChain


def scan(
    chain: PayingChain, attempt: Attempt, number: int, block_hash: str, dead: Collection[str] = ()
) -> tuple[Head | None, int, str]:
    """Read finalized blocks after (number, block_hash), each linked to the one before by its parent's hash.

    Returns the block that holds the attempt or None, and how far it read. Raises ChainUnreachable
    where a block is missing or does not link: then nothing is known. dead: transactions that were ruled dead; Refused
    where a block holds one of them.
    """
    last = chain.finalized().number
    while number < last and not chain.over(attempt.valid_until, number):
        view = chain.block(number + 1)
        if view.head.parent_hash != block_hash or view.head.number != number + 1:
            raise ChainUnreachable(
                f"block {number + 1} does not follow from the block {number} that was signed against",
                why="this node tells another history",
                fix="ask another node, then reconcile again",
            )
        alive = next((tx_id for tx_id in view.tx_ids if tx_id in dead), None)
        if alive is not None:
            raise Refused(
                f"transaction {alive}, which was ruled dead, stands in block {view.head.number}",
                why="a node told another history when it was ruled: what it paid may be on its way a second time",
                fix="nothing more leaves this wallet; compare the block with other nodes and an explorer",
            )
        if attempt.tx_id in view.tx_ids:
            return view.head, number, block_hash
        number, block_hash = view.head.number, view.head.hash
    return None, number, block_hash
