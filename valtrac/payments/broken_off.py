"""Sending that broke off: what the owner is told of the money that moved before, and how he goes on."""

from __future__ import annotations

from contextlib import suppress

from valtrac.core.errors import OutcomeUnknown, Refused, ValtracError
from valtrac.core.money import Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments import still_open
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt
from valtrac.payments.model.states import AttemptState
from valtrac.payments.reconcile import Finding
from valtrac.payments.store import attempts


def told(door: Door, ended: list[Finding], cause: Exception | KeyboardInterrupt, batch_id: int) -> ValtracError:
    """The error as the owner has to hear it: what had landed before belongs to it, and how he goes on."""
    words = door.producer.words
    if isinstance(cause, ValtracError):
        error = cause
        if isinstance(error, OutcomeUnknown) and not error.fix:
            error.fix = f"find out what became of it: {words.reconcile}"
    elif isinstance(cause, KeyboardInterrupt):
        error = Refused("sending was stopped between two transactions", fix=f"go on: {words.of(words.send, batch_id)}")
    else:
        error = ValtracError(
            "something unforeseen stopped the sending between two transactions",
            why=f"{type(cause).__name__}: {plain(cause)}",
            fix=f"please report it; go on: {words.of(words.send, batch_id)}",
        )
    if before := _what_moved(door, ended, batch_id):
        error.moved = "yes" if error.moved == "no" else error.moved
        error.why = f"{error.why}; {before}" if error.why else before
    return still_open.with_what_is_open(error, still_open.of_journal(door.engine), words.reconcile)


def _what_moved(door: Door, ended: list[Finding], batch_id: int) -> str:
    """What landed in this sending and what the chain charged for it, also for what failed; "" where nothing did."""
    landed = [finding.attempt for finding in ended if finding.state == AttemptState.LANDED]
    failed = [finding.attempt for finding in ended if finding.state == AttemptState.FAILED]
    fees = [fee for attempt in (*landed, *failed) if (fee := _fee(door, attempt))]
    said, asset = [], door.chain.asset
    if landed:
        units = Amount(sum(attempt.units for attempt in landed), asset)
        said.append(f"{units} of batch #{batch_id} had landed before, in {len(landed)} transactions")
    if fees:
        said.append(f"{Amount(sum(fees), asset)} {'was' if len(fees) == 1 else 'were'} charged as network fee")
    return ", and ".join(said)


def _fee(door: Door, attempt: Attempt) -> int | None:
    """What the chain charged for a transaction; None where it did not say, or the journal cannot be read now."""
    with suppress(Exception), reading(door.engine) as conn:
        return next((other.fee for other in attempts.of_batch(conn, attempt.batch_id) if other.id == attempt.id), None)
    return None
