"""Booked payments looked up once more: is each still where the ledger says that it landed?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from valtrac.core.chain import Head
from valtrac.core.errors import ValtracError
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments import rivals
from valtrac.payments.door import Door
from valtrac.payments.evidence import Known, finality_of
from valtrac.payments.model.batches import Attempt
from valtrac.payments.reconcile import birth_is_gone
from valtrac.payments.scanning import scan
from valtrac.payments.store import attempts, batches

_PAY_BY_HAND = (
    "two nodes must say so before it is paid once more by hand, as a draft of its own; its receipt stays as it is"
)


@dataclass(frozen=True, slots=True)
class Gone:
    """A payment that is booked as landed and is not in its block any more, and what was done or may be done."""

    attempt: Attempt
    words: str


@dataclass(frozen=True, slots=True)
class There:
    """A payment that stands where the ledger has it, and how far it is known that its block is final."""

    attempt: Attempt
    known: Known


@dataclass(frozen=True, slots=True)
class Moved:
    """A payment that a final block holds, another one than the ledger names: where no vote makes blocks final, the
    newest part of a history may be exchanged, and what spends coins is as good on the other one."""

    attempt: Attempt
    head: Head


@dataclass(frozen=True, slots=True)
class Verified:
    """How many transactions were looked up, those that are not where they were, and the others."""

    looked_up: int
    gone: tuple[Gone, ...]
    there: tuple[There, ...] = field(default=(), compare=False)
    moved: tuple[Moved, ...] = ()


def verify(door: Door, hand_over: Callable[[bytes], None], *, batch_id: int | None = None) -> Verified:
    """Look every landed transaction up again, by every node; one that is gone is handed over again as the same bytes.

    The same bytes can be included once at most, so that this pays nobody twice. Nothing is booked.
    Raises ChainUnreachable where a node does not tell; what is unknown is neither there nor gone.
    """
    with reading(door.engine) as conn:
        if batch_id is not None:
            batches.get(conn, batch_id)
        landed = attempts.landed(conn, batch_id)
    outcomes = [_looked_up(door, hand_over, attempt) for attempt in landed]
    gone = tuple(outcome for outcome in outcomes if isinstance(outcome, Gone))
    there = tuple(outcome for outcome in outcomes if isinstance(outcome, There))
    return Verified(len(landed), gone, there, tuple(outcome for outcome in outcomes if isinstance(outcome, Moved)))


def _looked_up(door: Door, hand_over: Callable[[bytes], None], attempt: Attempt) -> Gone | There | Moved:
    """Whether every node has the transaction in the block that the ledger names."""
    assert attempt.block is not None
    for chain in (door.chain, *door.witnesses):
        view = chain.block(attempt.block)
        if view.head.hash == attempt.block_hash and attempt.tx_id in view.tx_ids:
            continue
        if chain is door.chain and view.head.hash == attempt.block_hash:
            return Gone(attempt, f"block {attempt.block} is the same and does not hold it: this node hides something")
        moved = _elsewhere(door, attempt)
        if moved is not None and door.coins:
            return Moved(attempt, moved)
        if moved is not None:
            return Gone(attempt, f"the chain's history has changed: it stands in block {moved.number} now")
        return Gone(attempt, _handed_over(door, hand_over, attempt))
    return There(attempt, finality_of(door, door.chain.block(attempt.block).head))


def _elsewhere(door: Door, attempt: Attempt) -> Head | None:
    """The block that holds it now, looked for from the first that may, where the history before that is the same."""
    if door.coins:
        return rivals.elsewhere(door, attempt)
    birth = door.chain.block(attempt.birth_block).head
    where, _, _ = scan(door.chain, attempt, birth.number, birth.hash)
    return where


def _handed_over(door: Door, hand_over: Callable[[bytes], None], attempt: Attempt) -> str:
    """Hand the journal's own bytes over again, where they may still be included; what came of it, in words."""
    said = f"block {attempt.block} is another one now, and no final block holds it"
    if not door.coins and birth_is_gone(door.chain, attempt):
        return f"{said}; nor is the block that it was signed against, so it can never be included: {_PAY_BY_HAND}"
    head = door.chain.finalized()
    if door.chain.over(attempt.valid_until, head.number):
        return f"{said}; it could be included until {door.chain.until(attempt.valid_until)}: {_PAY_BY_HAND}"
    try:
        hand_over(attempt.raw)
    except ValtracError as error:
        return f"{said}; its bytes were handed over again, and: {plain(error.what)}"
    later = "later" if door.coins else f"when block {attempt.valid_until} is final"
    return f"{said}; its bytes were handed over again: look once more {later}"
