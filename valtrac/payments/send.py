"""The one door that money leaves by: sign, compare, write down, commit, send, and look what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from valtrac.core.chain import Head, SignedTx
from valtrac.core.errors import ChainUnreachable, NotYet, OutcomeUnknown, Refused, Unpayable, ValtracError
from valtrac.core.money import Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments import broken_off, checks, payment_log, wallets
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, Batch, BatchLine
from valtrac.payments.model.states import AttemptState, BatchState, LineState
from valtrac.payments.patience import Patience
from valtrac.payments.producer import Fate
from valtrac.payments.reconcile import Finding, look, settle_if_done
from valtrac.payments.store import attempts, batches
from valtrac.ports import Payer

REPEAT_EVERY = 4
MOST_DEATHS = 3  # transactions in a row that a node took and no block held: there is something wrong with it

__all__ = ["Door", "send"]


def send(
    door: Door,
    payer: Payer,
    batch_id: int,
    *,
    isolate: bool = False,
    retry_failed: bool = False,
    accept_history: bool = False,
    accept_fee: bool = False,
) -> Batch:
    """Pay what a batch still owes, chunk by chunk; return it as it is then.

    isolate: go on after a chunk that failed on chain, in ever smaller chunks, and leave what fails
    alone aside. retry_failed: try also what was left aside before. accept_fee: pay a network fee that
    is far above the draft's.
    Raises Refused before anything is signed where a rule forbids it; OutcomeUnknown when a
    transaction left this machine and was not seen again: reconcile finds it, paying twice cannot happen.
    """
    ended: list[Finding] = []
    try:
        if door.log is not None:
            payment_log.check(door, door.log)
        checks.check_wallet(door, payer, batch_id)
        wallets.adopt(door, payer.address, accept_history=accept_history)
        _settle_open(door, payer)
        checks.check(door, payer, batch_id, accept_fee=accept_fee)
        _pay_in_chunks(door, payer, batch_id, ended, isolate=isolate, retry_failed=retry_failed)
        with writing(door.engine) as conn:
            settle_if_done(conn, door.producer, batch_id)
            batch = batches.get(conn, batch_id)
    except (Exception, KeyboardInterrupt) as error:
        raise broken_off.told(door, ended, error, batch_id) from error
    _list_payments(door)
    return batch


def _pay_in_chunks(
    door: Door, payer: Payer, batch_id: int, ended: list[Finding], *, isolate: bool, retry_failed: bool
) -> None:
    """Chunk by chunk until nothing is owed; notes what became of each, for the words of an error."""
    deaths, until = 0, door.clock() + door.patience_s
    while True:
        lines, waiting = _next_lines(door, payer, batch_id, isolate=isolate, retry_failed=retry_failed)
        if not lines:
            if _settle_open(door, payer):
                continue  # another process had the rest on its way: what came of it decides
            for words in waiting:
                door.say(words)
            return
        try:
            finding = _pay_chunk(door, payer, batch_id, lines, ended)
        except NotYet as early:
            if door.clock() > until:
                door.say(str(early))
                return
            door.sleep(door.poll_s)
            continue
        until = door.clock() + door.patience_s
        if finding is None:
            continue
        retry_failed = False
        deaths = deaths + 1 if _died_unheld(finding) else 0
        if finding.state == AttemptState.FAILED and not isolate:
            raise Refused(
                f"a transaction of batch #{batch_id} failed on chain, and nothing of it was paid",
                why=plain(finding.words),
                fix=f"see what it was and go on with the rest: {_command(door, door.producer.words.resume, batch_id)}",
            )
        if deaths >= MOST_DEATHS:
            raise ChainUnreachable(
                f"{deaths} transactions in a row died: the node takes them and no block holds them",
                why="nothing of them was paid, and what is left stays owed",
                fix="use another node, then go on",
            )


def _pay_chunk(door: Door, payer: Payer, batch_id: int, lines: list[BatchLine], ended: list[Finding]) -> Finding | None:
    """One transaction from its signature to what became of it; None where another process was faster.

    What became of it is noted before anything else is done: the owner may stop the program at any moment.
    """
    try:
        attempt = _sign_and_journal(door, payer, batch_id, lines)
    except _Taken as taken:
        door.say(str(taken))
        _settle_open(door, payer)
        return None
    except Unpayable as error:  # its fault alone: the others are paid without it
        if not _put_aside(door, lines, error):
            raise
        return None
    with _on_its_way(door, attempt):
        _broadcast(door, payer, attempt)
        finding = _await(door, payer, attempt)
    ended.append(finding)
    _list_payments(door)
    payments = f"{len(lines):,} payment{'' if len(lines) == 1 else 's'}"
    door.say(f"{payments}, {_amount(door, attempt.units)}: {finding.state} {finding.words}")
    return finding


def _put_aside(door: Door, lines: list[BatchLine], error: Unpayable) -> bool:
    """Leave those lines out of what is paid now for which nothing can be signed; whether there were any."""
    faulty = [line for line in lines if line.address in error.addresses]
    for line in faulty:
        door.aside[line.id] = plain(error)
        door.say(f"{plain(line.name)} is left out: {plain(error)}")
    return bool(faulty)


def _died_unheld(finding: Finding) -> bool:
    """Whether a node took a transaction that then died, and did not refuse it in words."""
    return finding.state == AttemptState.DEAD and not finding.attempt.error.startswith(attempts.REFUSED)


def _command(door: Door, command: str, batch_id: int) -> str:
    return door.producer.words.of(command, batch_id)


def _list_payments(door: Door) -> None:
    """Write what landed into the list for people. Where that fails the money has moved all the same: it is said, and
    the rows that are missing follow with the next sending."""
    if door.log is None:
        return
    try:
        payment_log.sync(door, door.log)
    except Exception as error:
        door.say(f"{plain(error)}; what is missing there is written later")


@contextmanager
def _on_its_way(door: Door, attempt: Attempt) -> Iterator[None]:
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


def _settle_open(door: Door, payer: Payer) -> bool:
    """Let everything that left this wallet before come to an end; sends the same bytes again where needed.

    Returns whether there was anything.
    """
    with reading(door.engine) as conn:
        before = attempts.unresolved(conn, payer.address)
    for attempt in before:
        door.say(f"looking for transaction {attempt.tx_id[:14]}... sent before")
        with _on_its_way(door, attempt):
            _await(door, payer, attempt)
        _list_payments(door)
    return bool(before)


def _next_lines(
    door: Door, payer: Payer, batch_id: int, *, isolate: bool, retry_failed: bool
) -> tuple[list[BatchLine], list[str]]:
    """The lines of the next chunk, and what is said of those that have to wait, which stay owed.

    None of them is one for which nothing could be signed.
    What never failed comes first, then smaller and smaller parts of what did.
    """
    size = min(door.chunk_size, door.chain.limits().max_payments)
    with reading(door.engine) as conn:
        owed = batches.lines_of(conn, batch_id, LineState.OWED)
        failed = attempts.failures(conn, batch_id)
    held: dict[int, str] = {}
    if owed:
        door.producer.look(owed, payer.address)
        head = door.chain.finalized()
        with reading(door.engine) as conn:
            held = door.producer.waits(conn, owed, head)
    waiting = [f"{plain(line.name)} waits: {held[line.id]}" for line in owed if line.id in held]
    owed = [line for line in owed if line.id not in held]
    owed = [line for line in owed if line.id not in door.aside]
    fresh = [line for line in owed if line.id not in failed]
    if fresh or not isolate:
        return fresh[:size], waiting
    alone = [line for line in owed if failed[line.id][0] == 1]
    together = [line for line in owed if failed[line.id][0] > 1]
    if together:  # what was split most comes first: its parts grow smaller each time, so that this comes to an end
        least = min(failed[line.id][0] for line in together)
        part = [line for line in together if failed[line.id][0] == least]
        return part[: max(1, min(size, least // 2))], waiting
    return (alone[:1] if retry_failed else []), waiting


class _Taken(Exception):
    """Another process was faster; nothing was written, nothing is lost."""


def _sign_and_journal(door: Door, payer: Payer, batch_id: int, lines: list[BatchLine]) -> Attempt:
    """Sign one chunk, read the bytes back, and commit them to the journal. Nothing is sent here."""
    head = door.chain.finalized()
    try:
        nonce = wallets.nonce_to_sign(door, payer.address, head)
    except wallets.Busy as busy:
        raise _Taken(busy.what) from busy
    payments = checks.payments_of(door, lines)
    tx = payer.sign(payments, nonce=nonce, period=door.period)
    try:
        checks.compare(door.chain, tx, payments, payer.address, nonce)
        return _journaled(door, batch_id, lines, tx, head)
    except (ValtracError, _Taken):  # it was not written down, and is never sent
        for coins in door.coins[:1]:
            coins.release(tx.raw)
        raise


def _journaled(door: Door, batch_id: int, lines: list[BatchLine], tx: SignedTx, head: Head) -> Attempt:
    """The attempt as it is written down, in one transaction with all that must hold then."""
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, tx.signer)
        batch = batches.get(conn, batch_id)
        if door.numbers is not None and wallets.next_nonce(conn, tx.signer) != tx.nonce:
            raise _Taken("another process has paid from this wallet meanwhile")
        if door.producer.waits(conn, lines, head):
            raise _Taken("an address was changed at this moment")
        caps = door.producer.caps(batch)
        checks.check_caps(caps, door.chain.asset, batch, lines)
        checks.check_spent(conn, caps, batch, tx.signer, sum(line.amount for line in lines), head)
        if batch.state == BatchState.APPROVED:
            batches.set_state(conn, batch_id, BatchState.APPROVED, BatchState.SENDING)
        try:
            attempt_id = attempts.open_attempt(conn, batch_id, lines, tx, head)
        except Refused as error:
            raise _Taken(str(error)) from error
        return next(attempt for attempt in attempts.unresolved(conn, tx.signer) if attempt.id == attempt_id)


def _broadcast(door: Door, payer: Payer, attempt: Attempt, *, again: bool = False) -> None:
    """Hand the committed bytes over. Whatever comes back proves nothing; reconcile finds out.

    again: they were handed over before, so that a node which has them says no to no surprise.
    """
    words = ""
    try:
        payer.broadcast(attempt.raw)
    except ValtracError as error:
        words = (attempts.REFUSED if isinstance(error, Refused) else "") + plain(error)
        if not again:
            door.say(f"sent, but: {words}; looking for it on the chain")
    with writing(door.engine) as conn:
        attempts.mark_sent(conn, attempt.id, words)
        if not words.startswith(attempts.REFUSED):
            lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
            door.producer.moved(conn, lines, Fate(AttemptState.SENT, attempt.tx_id))


def _await(door: Door, payer: Payer, attempt: Attempt) -> Finding:
    """Reconcile until the attempt is landed, failed or dead; now and then hand the same bytes over again.

    Raises OutcomeUnknown once patience ends, with the transaction's id and last valid block.
    """
    patience, tries, last = Patience(door), 0, ""
    while True:
        try:
            findings = look(door, wallet=attempt.wallet)
            patience.answered()
            finding = next((finding for finding in findings if finding.attempt.id == attempt.id), None)
            if finding is None:
                return _as_booked(door, attempt)
            if finding.state is not None:
                return finding
            last = finding.words
        except ChainUnreachable as error:
            last = plain(error)
            patience.away(error)
        tries += 1
        if patience.over:
            raise OutcomeUnknown(f"transaction {attempt.tx_id} was sent and not seen again yet", why=last)
        door.sleep(min(door.poll_s * (1 + tries / 10), 30.0))
        if tries % REPEAT_EVERY == 0 and not _held_since(door, attempt):
            _broadcast(door, payer, attempt, again=True)


def _held_since(door: Door, attempt: Attempt) -> bool:
    """Whether a payment of it would have to wait by now: it may land, but nothing more is done to have it land."""
    with reading(door.engine) as conn:
        return bool(door.producer.waits(conn, attempts.lines_of_chunk(conn, attempt.chunk_id), None))


def _amount(door: Door, units: int) -> Amount:
    """Units of what this chain pays in, as people read them."""
    return Amount(units, door.chain.asset)


def _as_booked(door: Door, attempt: Attempt) -> Finding:
    """What another process found out about the attempt meanwhile."""
    with reading(door.engine) as conn:
        now = next(other for other in attempts.of_batch(conn, attempt.batch_id) if other.id == attempt.id)
    return Finding(now, now.state, f"in block {now.block}" if now.block else now.error)
