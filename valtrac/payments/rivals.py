"""Transactions that spend coins: they never expire, and end only where another one spends a coin of theirs for good."""

from __future__ import annotations

from collections.abc import Sequence

from valtrac.core.chain import Head, Rival, SignedTx
from valtrac.core.errors import ChainUnreachable
from valtrac.database.engine import writing
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import AttemptState, LineState
from valtrac.payments.scanning import scan
from valtrac.payments.store import attempts, batches

REWRITTEN = 1_000  # blocks: further back no history is looked through where the newest part of it was exchanged


def rival_of(door: Door, attempt: Attempt, seen_to: int) -> Rival | str:
    """The transaction that has spent a coin of one that no final block holds, where every node names the same, as deep
    on each of them; else why it may still land. seen_to: the block up to which it was looked for."""
    same = door.chain.block(attempt.birth_block).head.hash == attempt.birth_hash
    first = attempt.birth_block if same else max(0, attempt.birth_block - REWRITTEN)
    deep = min([seen_to, *(witness.finalized().number for witness in door.witnesses)])
    rivals = [coins.rival(attempt.raw, first, deep) for coins in door.coins]
    rival = rivals[0]
    if rival is None or None in rivals:
        until = door.chain.until(attempt.valid_until)
        return f"not found up to finalized block {deep}; it may land until {until}"
    if any(other != rival for other in rivals):
        return "the nodes name different transactions that spent its coins"
    return rival


def doubt_of_rival(door: Door, lines: Sequence[BatchLine], rival: Rival) -> str:
    """Why payments that a rival stands in the place of are not made again, or "": it pays some of the same people."""
    both = {address for address, _ in door.coins[0].paid_by(rival.raw)} & {line.address for line in lines}
    if not both or door.sent_by_hand:
        return ""
    return (
        f"transaction {rival.tx_id} has spent its coins, and pays {len(both)} of the same people other amounts: "
        f"compare them, and where it was sent by hand, for something else: {door.producer.words.pays_users}"
    )


def made_by(door: Door, lines: Sequence[BatchLine], rival: Rival) -> list[BatchLine]:
    """The lines that a rival pays, to the unit, where it pays nothing else; else none.

    It may be the very transaction, written otherwise: whoever makes a block can put a signature down in another way,
    which gives it another id, and so can a wallet that raises its fee. Or another copy of this program made a part of
    the same payments.
    """
    left, paid = list(lines), list[BatchLine]()
    for payment in door.coins[0].paid_by(rival.raw):
        line = next((line for line in left if (line.address, line.amount) == payment), None)
        if line is None:
            return []
        left.remove(line)
        paid.append(line)
    return paid


def exchange(door: Door, attempt: Attempt, rival: Rival, paid: Sequence[BatchLine]) -> None:
    """Write a rival down in the place of a transaction, for the lines that it pays: what becomes of it is looked for
    like of any other. The transaction is dead with it, and its other lines are owed again. Nothing happens where
    another process did so."""
    head, version = rival.head, door.chain.identity().spec_version
    birth = head.number - 1, head.parent_hash
    twin = SignedTx(
        rival.tx_id, rival.raw, attempt.wallet, attempt.nonce, *birth, attempt.valid_until, version, attempt.lane
    )
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, attempt.wallet)
        if not attempts.resolve(conn, attempt, AttemptState.DEAD):
            return
        lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
        batches.move_lines(conn, [line.id for line in lines], LineState.CHUNKED, LineState.OWED)
        attempts.open_attempt(conn, attempt.batch_id, paid, twin, head)


def first_to_read(door: Door, attempt: Attempt, number: int, block_hash: str) -> tuple[int, str]:
    """The block after which a transaction is looked for: as remembered, or further back where the chain has another
    history there by now. What spends coins is as good on that one."""
    if door.chain.finalized().number < number:
        raise ChainUnreachable(f"the node has not reached block {number} yet", fix="wait until it has caught up")
    if door.chain.block(number).head.hash == block_hash:
        return number, block_hash
    before: Head = door.chain.block(max(0, attempt.birth_block - REWRITTEN)).head
    return before.number, before.hash


def elsewhere(door: Door, attempt: Attempt) -> Head | None:
    """The final block that holds a transaction which has left the block that it landed in, on the chain's other history
    of now; None where none does."""
    number, block_hash = first_to_read(door, attempt, attempt.birth_block, attempt.birth_hash)
    where, _, _ = scan(door.chain, attempt, number, block_hash)
    return where
