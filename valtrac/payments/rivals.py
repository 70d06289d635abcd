"""Transactions that spend coins: they never expire, and end only where another one spends a coin of theirs for good."""

from __future__ import annotations

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt
from valtrac.payments.scanning import scan

REWRITTEN = 1_000  # blocks: further back no history is looked through where the newest part of it was exchanged


def doubt_of_end(door: Door, attempt: Attempt, seen_to: int) -> str:
    """Why a transaction that no final block holds may still land, or "": every node names the rival that spent a coin
    of it, the same one. seen_to: the block up to which it was looked for."""
    same = door.chain.block(attempt.birth_block).head.hash == attempt.birth_hash
    first = attempt.birth_block if same else max(0, attempt.birth_block - REWRITTEN)
    rivals = {coins.rival(attempt.raw, first, seen_to) for coins in door.coins}
    if None in rivals:
        until = door.chain.until(attempt.valid_until)
        return f"not found up to finalized block {seen_to}; it may land until {until}"
    return "" if len(rivals) == 1 else "the nodes name different transactions that spent its coins"


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
