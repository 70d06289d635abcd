"""The one door that money leaves by: sign, compare, write down, commit, send, and look what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from valtrac.domain.batches import Attempt, Batch, BatchLine
from valtrac.domain.chain import Payment
from valtrac.domain.money import Amount
from valtrac.domain.text import plain
from valtrac.errors import ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.ports import Payer
from valtrac.services import approvals, destinations, payout_log, preflight, wallets
from valtrac.services.door import Door
from valtrac.services.reconcile import Finding, reconcile, settle_if_done
from valtrac.store import attempts, batches, contracts
from valtrac.store.engine import reading, writing

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
    alone aside (`payout resume`). retry_failed: try also what was left aside before. accept_fee: pay a network fee that
    is far above the draft's.
    Raises Refused before anything is signed where a rule forbids it; OutcomeUnknown when a
    transaction left this machine and was not seen again: reconcile finds it, paying twice cannot happen.
    """
    landed: list[Attempt] = []
    try:
        _send(door, payer, batch_id, landed, isolate, retry_failed, accept_history, accept_fee)
    except (Exception, KeyboardInterrupt) as error:
        raise _after(door, landed, error, batch_id) from error
    with writing(door.engine) as conn:
        settle_if_done(conn, batch_id)
        batch = batches.get(conn, batch_id)
    if door.log is not None:
        payout_log.sync(door.engine, door.log)
    return batch


def _send(
    door: Door, payer: Payer, batch_id: int, landed: list[Attempt], isolate: bool, retry_failed: bool,
    accept_history: bool, accept_fee: bool,
) -> None:  # fmt: skip
    """Chunk by chunk until nothing is owed; notes what landed, for the words of an error."""
    if door.log is not None:
        payout_log.check(door.engine, door.log)
    preflight.check_wallet(door.engine, payer, batch_id)
    wallets.adopt(door.engine, door.chain, payer.address, accept_history=accept_history)
    _settle_open(door, payer)
    preflight.check(door, payer, batch_id, accept_fee=accept_fee)
    deaths = 0
    while True:
        lines, waiting = _next_lines(door, batch_id, isolate=isolate, retry_failed=retry_failed)
        if not lines:
            if not _settle_open(door, payer):
                for words in waiting:
                    door.tell(words)
                return
            continue  # another process had the rest on its way: what came of it decides
        try:
            attempt = _sign_and_journal(door, payer, batch_id, lines)
        except _Taken as taken:
            door.tell(str(taken))
            _settle_open(door, payer)
            continue
        with _on_its_way(attempt):
            _broadcast(door, payer, attempt)
            finding = _await(door, payer, attempt)
        if finding.state == "landed":
            landed.append(attempt)
        retry_failed = False
        unheld = finding.state == "dead" and not finding.attempt.error.startswith(attempts.REFUSED)
        deaths = deaths + 1 if unheld else 0
        heads = f"{len(lines):,} payment{'' if len(lines) == 1 else 's'}"
        door.tell(f"{heads}, {_amount(door, attempt.units)}: {finding.state} {finding.words}")
        if finding.state == "failed" and not isolate:
            raise Refused(
                f"a transaction of batch #{batch_id} failed on chain, and nothing of it was paid",
                plain(finding.words),
                f"see what it was and go on with the rest: run.py payout resume {batch_id}",
            )
        if deaths >= MOST_DEATHS:
            raise ChainUnreachable(
                f"{deaths} transactions in a row died: the node takes them and no block holds them",
                "nothing of them was paid, and what is left stays owed",
                "use another node, then go on",
            )


def _after(door: Door, landed: list[Attempt], cause: Exception | KeyboardInterrupt, batch_id: int) -> ValtracError:
    """The error as the owner has to hear it: what had landed before belongs to it."""
    go_on = f"go on: run.py payout send {batch_id}"
    if isinstance(cause, ValtracError):
        error = cause
    elif isinstance(cause, KeyboardInterrupt):
        error = Refused("sending was stopped between two transactions", "", go_on)
    else:
        error = ValtracError(
            "something unforeseen stopped the sending between two transactions",
            f"{type(cause).__name__}: {plain(cause)}",
            f"please report it; {go_on}",
        )
    if landed and error.moved == "no":
        error.moved = "yes"
        units = _amount(door, sum(attempt.units for attempt in landed))
        before = f"{units} of batch #{batch_id} had landed before, in {len(landed)} transactions"
        error.why = f"{error.why}; {before}" if error.why else before
    return error


@contextmanager
def _on_its_way(attempt: Attempt) -> Iterator[None]:
    """From the broadcast on, whatever goes wrong here says nothing about the money: the outcome is unknown."""
    try:
        yield
    except OutcomeUnknown:
        raise
    except (Exception, KeyboardInterrupt) as error:
        words = "it was stopped" if isinstance(error, KeyboardInterrupt) else _said(error)
        raise OutcomeUnknown(
            f"transaction {attempt.tx_id} left this machine, and then: {words}",
            f"it may land until block {attempt.valid_until}",
        ) from error


def _settle_open(door: Door, payer: Payer) -> bool:
    """Let everything that left this wallet before come to an end; sends the same bytes again where needed.

    Returns whether there was anything.
    """
    with reading(door.engine) as conn:
        before = attempts.unresolved(conn, payer.address)
    for attempt in before:
        door.tell(f"looking for transaction {attempt.tx_id[:14]}... sent before")
        with _on_its_way(attempt):
            _await(door, payer, attempt)
    return bool(before)


def _next_lines(door: Door, batch_id: int, *, isolate: bool, retry_failed: bool) -> tuple[list[BatchLine], list[str]]:
    """The lines of the next chunk, and what is said of those that have to wait.

    What never failed comes first, then smaller and smaller parts of what did. A line whose address was
    replaced, is in quarantine or about to change hands stays owed.
    """
    size = min(door.settings.chunk_size, door.chain.limits().max_payments)
    with reading(door.engine) as conn:
        owed = batches.lines_of(conn, batch_id, "owed")
        failed = attempts.failures(conn, batch_id)
        said = door.waits(conn, owed)
    held = destinations.holds(door.engine, door.settings, door.chain, owed) | said
    waiting = [f"{plain(line.name)} waits: {held[line.id]}" for line in owed if line.id in held]
    owed = [line for line in owed if line.id not in held]
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
        nonce = wallets.nonce_to_sign(door.engine, door.chain, payer.address, head)
    except wallets.Busy as busy:
        raise _Taken(busy.what) from busy
    payments = tuple(Payment(line.address, line.amount, line.memo) for line in lines)
    tx = payer.sign(payments, nonce=nonce, period=door.period)
    preflight.compare(door.chain, tx, payments, payer.address, nonce)
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, payer.address)
        batch = batches.get(conn, batch_id)
        if door.chain.counts_nonces and wallets.next_nonce(conn, payer.address) != nonce:
            raise _Taken("another process has paid from this wallet meanwhile")
        if destinations.entered(conn, door.settings, lines, head) or door.waits(conn, lines):
            raise _Taken("an address was changed at this moment")
        approvals.check_caps(door.caps, batch, lines)
        preflight.check_spent(conn, door.caps, batch, payer.address, sum(line.amount for line in lines), head)
        if batch.state == "approved":
            batches.move(conn, batch_id, "approved", "sending")
        try:
            attempt_id = attempts.open_attempt(conn, batch_id, lines, tx, head)
        except Refused as error:
            raise _Taken(f"{error.what}: {error.why}") from error
        return next(attempt for attempt in attempts.unresolved(conn, payer.address) if attempt.id == attempt_id)


def _broadcast(door: Door, payer: Payer, attempt: Attempt, *, again: bool = False) -> None:
    """Hand the committed bytes over. Whatever comes back proves nothing; reconcile finds out.

    again: they were handed over before, so that a node which has them says no to no surprise.
    """
    words = ""
    try:
        payer.broadcast(attempt.raw)
    except ValtracError as error:
        words = (attempts.REFUSED if isinstance(error, Refused) else "") + _said(error)
        if not again:
            door.tell(f"sent, but: {words}; looking for it on the chain")
    with writing(door.engine) as conn:
        attempts.mark_sent(conn, attempt.id, words)
        if not words.startswith(attempts.REFUSED):
            contracts.follow(conn, [line.id for line in attempts.lines_of_chunk(conn, attempt.chunk_id)], "paid")


def _await(door: Door, payer: Payer, attempt: Attempt) -> Finding:
    """Reconcile until the attempt is landed, failed or dead; now and then hand the same bytes over again.

    Raises OutcomeUnknown once patience ends, with the transaction's id and last valid block.
    """
    deadline, tries, last = door.clock() + door.patience_s, 0, ""
    while True:
        try:
            findings = reconcile(door.engine, door.chain, wallet=attempt.wallet, witnesses=door.witnesses, log=door.log)
            finding = next((found for found in findings if found.attempt.id == attempt.id), None)
            if finding is None:
                return _as_booked(door, attempt)
            if finding.state != "unknown":
                return finding
            last = finding.words
        except ChainUnreachable as error:
            last = _said(error)
        tries += 1
        if door.clock() > deadline:
            raise OutcomeUnknown(f"transaction {attempt.tx_id} was sent and not seen again yet", last)
        door.sleep(min(door.poll_s * (1 + tries / 10), 30.0))
        if tries % REPEAT_EVERY == 0 and not _held_since(door, attempt):
            _broadcast(door, payer, attempt, again=True)


def _held_since(door: Door, attempt: Attempt) -> bool:
    """Whether a payment of it would have to wait by now: it may land, but nothing more is done to have it land."""
    with reading(door.engine) as conn:
        return bool(door.waits(conn, attempts.lines_of_chunk(conn, attempt.chunk_id)))


def _amount(door: Door, units: int) -> Amount:
    """Units of what this chain pays in, as people read them."""
    return Amount(units, door.chain.asset)


def _said(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, ValtracError):
        return plain(": ".join(part for part in (error.what, error.why) if part))
    return plain(error)


def _as_booked(door: Door, attempt: Attempt) -> Finding:
    """What another process found out about the attempt meanwhile."""
    with reading(door.engine) as conn:
        now = next(other for other in attempts.of_batch(conn, attempt.batch_id) if other.id == attempt.id)
    return Finding(now, now.state, f"in block {now.block}" if now.block else now.error)
