"""A transaction from its signature to a node: compared, written down, committed, and only then handed over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from valtrac.core.chain import Head, SignedTx
from valtrac.core.errors import OutcomeUnknown, Refused, ValtracError
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments import checks, payment_log, wallets
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import AttemptState, BatchState
from valtrac.payments.producer import Fate
from valtrac.payments.reconcile import Finding
from valtrac.payments.store import attempts, batches
from valtrac.ports import Payer


class Taken(Exception):
    """Another process was faster; nothing was written, nothing is lost."""


def sign_and_journal(door: Door, payer: Payer, batch_id: int, lines: list[BatchLine]) -> Attempt:
    """Sign one chunk, read the bytes back, and commit them to the journal. Nothing is sent here."""
    head = door.chain.finalized()
    try:
        nonce = wallets.nonce_to_sign(door, payer.address, head)
    except wallets.Busy as busy:
        raise Taken(busy.what) from busy
    payments = checks.payments_of(door, lines)
    tx = payer.sign(payments, nonce=nonce, period=door.period)
    try:
        checks.compare(door.chain, tx, payments, payer.address, nonce)
        return _journaled(door, batch_id, lines, tx, head)
    except (ValtracError, Taken):  # it was not written down, and is never sent
        for coins in door.coins[:1]:
            coins.release(tx.raw)
        raise


def _journaled(door: Door, batch_id: int, lines: list[BatchLine], tx: SignedTx, head: Head) -> Attempt:
    """The attempt as it is written down, in one transaction with all that must hold then."""
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, tx.signer)
        batch = batches.get(conn, batch_id)
        if door.numbers is not None and wallets.next_nonce(conn, tx.signer) != tx.nonce:
            raise Taken("another process has paid from this wallet meanwhile")
        if door.producer.waits(conn, lines, head):
            raise Taken("an address was changed at this moment")
        caps = door.producer.caps(batch)
        checks.check_caps(caps, door.chain.asset, batch, lines)
        checks.check_spent(conn, caps, batch, tx.signer, sum(line.amount for line in lines), head)
        if batch.state == BatchState.APPROVED:
            batches.set_state(conn, batch_id, BatchState.APPROVED, BatchState.SENDING)
        try:
            attempt_id = attempts.open_attempt(conn, batch_id, lines, tx, head)
        except Refused as error:
            raise Taken(str(error)) from error
        return next(attempt for attempt in attempts.unresolved(conn, tx.signer) if attempt.id == attempt_id)


def hand_over_attempt(door: Door, payer: Payer, attempt: Attempt, *, again: bool = False) -> None:
    """Hand the committed bytes over. Whatever comes back proves nothing; reconcile finds out.

    again: they were handed over before, so that a node which has them says no to no surprise.
    """
    words = hand_over(door, payer, attempt.raw, again=again)
    with writing(door.engine) as conn:
        attempts.mark_sent(conn, attempt.id, words)
        if not words.startswith(attempts.REFUSED):
            lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
            door.producer.moved(conn, lines, Fate(AttemptState.SENT, attempt.tx_id))


def hand_over(door: Door, payer: Payer, raw: bytes, *, again: bool = False) -> str:
    """Give bytes that are committed already to the node; what it said against them, "" where it said nothing."""
    try:
        payer.broadcast(raw)
    except ValtracError as error:
        words = (attempts.REFUSED if isinstance(error, Refused) else "") + plain(error)
        if not again:
            door.say(f"sent, but: {words}; looking for it on the chain")
        return words
    return ""


@contextmanager
def on_its_way(door: Door, attempt: Attempt) -> Iterator[None]:
    """From the broadcast on, whatever goes wrong here says nothing about the money: the outcome is unknown."""
    try:
        yield
    except OutcomeUnknown:
        raise
    except (Exception, KeyboardInterrupt) as error:
        words = "it was stopped" if isinstance(error, KeyboardInterrupt) else plain(error)
        raise OutcomeUnknown(
            f"transaction {attempt.tx_id} left this machine, and then: {words}",
            why=f"it may land until {door.chain.until(attempt.valid_until)}",
        ) from error


def list_payments(door: Door) -> None:
    """Write what landed into the list for people. Where that fails the money has moved all the same: it is said, and
    the rows that are missing follow with the next sending."""
    if door.log is None:
        return
    try:
        payment_log.sync(door, door.log)
    except Exception as error:
        door.say(f"{plain(error)}; what is missing there is written later")


def as_booked(door: Door, attempt: Attempt) -> Finding:
    """What another process found out about the attempt meanwhile."""
    with reading(door.engine) as conn:
        now = next(other for other in attempts.of_batch(conn, attempt.batch_id) if other.id == attempt.id)
    return Finding(now, now.state, f"in block {now.block}" if now.block else now.error)
