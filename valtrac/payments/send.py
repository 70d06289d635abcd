"""The one door that money leaves by: sign, compare, write down, commit, send, and look what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from valtrac.core.errors import ChainUnreachable, NotYet, OutcomeUnknown, Refused, Unpayable
from valtrac.core.money import Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments import broken_off, checks, handover, payment_log, wallets
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, Batch, BatchLine
from valtrac.payments.model.states import AttemptState
from valtrac.payments.patience import Patience
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
    handover.list_payments(door)
    return batch


def _pay_in_chunks(
    door: Door, payer: Payer, batch_id: int, ended: list[Finding], *, isolate: bool, retry_failed: bool
) -> None:
    """Chunk by chunk until nothing is owed; notes what became of each, for the words of an error."""
    deaths, until, passed = 0, door.clock() + door.patience_s, _Passed()
    while True:
        lines, waiting = _next_lines(door, payer, batch_id, passed, isolate=isolate, retry_failed=retry_failed)
        if not lines:
            if _settle_open(door, payer):
                passed.position = -1
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
        if finding is None or finding.state != AttemptState.LANDED:
            passed.position = -1  # what was not paid is owed again, where it stands
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
        attempt = handover.sign_and_journal(door, payer, batch_id, lines)
    except handover.Taken as taken:
        door.say(str(taken))
        _settle_open(door, payer)
        return None
    except Unpayable as error:  # its fault alone: the others are paid without it
        if not _put_aside(door, lines, error):
            raise
        return None
    with handover.on_its_way(door, attempt):
        handover.hand_over_attempt(door, payer, attempt)
        finding = _await(door, payer, attempt)
    ended.append(finding)
    handover.list_payments(door)
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


def _settle_open(door: Door, payer: Payer) -> bool:
    """Let everything that left this wallet before come to an end; sends the same bytes again where needed.

    Returns whether there was anything.
    """
    with reading(door.engine) as conn:
        before = attempts.unresolved(conn, payer.address)
    for attempt in before:
        door.say(f"looking for transaction {attempt.tx_id[:14]}... sent before")
        with handover.on_its_way(door, attempt):
            _await(door, payer, attempt)
        handover.list_payments(door)
    return bool(before)


@dataclass(slots=True)
class _Passed:
    """The place in a batch up to which nothing is to be paid now: all of it is paid, waits, failed or is left aside."""

    position: int = -1


def _next_lines(
    door: Door, payer: Payer, batch_id: int, passed: _Passed, *, isolate: bool, retry_failed: bool
) -> tuple[list[BatchLine], list[str]]:
    """The lines of the next chunk, and what is said of those that have to wait, which stay owed.

    None of them is one for which nothing could be signed.
    What never failed comes first, then smaller and smaller parts of what did.
    """
    size = min(door.chunk_size, door.chain.limits().max_payments)
    with reading(door.engine) as conn:
        failed = attempts.failures(conn, batch_id)
    fresh, again, waiting = _looked_through(door, payer, batch_id, passed, failed, size)
    if not fresh and passed.position >= 0:  # once more from the beginning: what came back, or waits no more
        passed.position = -1
        fresh, again, waiting = _looked_through(door, payer, batch_id, passed, failed, size)
    if fresh or not isolate:
        return fresh, waiting
    alone = [line for line in again if failed[line.id][0] == 1]
    together = [line for line in again if failed[line.id][0] > 1]
    passed.position = -1
    if together:  # what was split most comes first: its parts grow smaller each time, so that this comes to an end
        least = min(failed[line.id][0] for line in together)
        part = [line for line in together if failed[line.id][0] == least]
        return part[: max(1, min(size, least // 2))], waiting
    return (alone[:1] if retry_failed else []), waiting


def _looked_through(
    door: Door, payer: Payer, batch_id: int, passed: _Passed, failed: Mapping[int, object], size: int
) -> tuple[list[BatchLine], list[BatchLine], list[str]]:
    """(the next lines that never failed, those before them that did, what is said of those that wait).

    Whoever is owed something is looked at in the order of the batch, until there is enough for a transaction.
    """
    fresh, again, waiting, position = list[BatchLine](), list[BatchLine](), list[str](), passed.position
    while len(fresh) < size:
        with reading(door.engine) as conn:
            owed = batches.owed_after(conn, batch_id, position, size)
        if not owed:
            break
        door.producer.look(owed, payer.address)
        head = door.chain.finalized()
        with reading(door.engine) as conn:
            held = door.producer.waits(conn, owed, head)
        for line in owed:
            if line.id in held:
                waiting.append(f"{plain(line.name)} waits: {held[line.id]}")
            elif line.id not in door.aside:
                (again if line.id in failed else fresh).append(line)
            if not fresh:
                passed.position = line.position
        position = owed[-1].position
    return fresh[:size], again, waiting


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
                return handover.as_booked(door, attempt)
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
            handover.hand_over_attempt(door, payer, attempt, again=True)


def _held_since(door: Door, attempt: Attempt) -> bool:
    """Whether a payment of it would have to wait by now: it may land, but nothing more is done to have it land."""
    with reading(door.engine) as conn:
        return bool(door.producer.waits(conn, attempts.lines_of_chunk(conn, attempt.chunk_id), None))


def _amount(door: Door, units: int) -> Amount:
    """Units of what this chain pays in, as people read them."""
    return Amount(units, door.chain.asset)
