"""Several transactions of one wallet on their way at once, each with a number of its own, one payment in each.

Every number is spent once and for good, so that each of them ends by itself: it lands, it fails, or another one has its
number. What waits because its price is too low is signed anew with the same number and the same call; every one of
those stays in the journal until one of them is final.
"""

from __future__ import annotations

from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, Unpayable, ValtracError
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments import broken_off, checks, handover, one_look, payment_log, wallets
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import UNRESOLVED, LineState
from valtrac.payments.patience import Patience
from valtrac.payments.reconcile import Finding, look, settle_if_done
from valtrac.payments.standing_batches import entries
from valtrac.payments.store import attempts, batches, ledger, replacements
from valtrac.ports import ReplacingPayer

REPEAT_EVERY = 4
TOO_LATE = "not sent in its time: it is decided anew"


def send(door: Door, payer: ReplacingPayer, batch_id: int) -> list[Finding]:
    """Pay what a batch owes side by side, once each, and wait until every one has come to an end.

    Nothing is tried a second time: what failed, or was not handed over, is given up, for whoever made the batch to
    decide anew. Raises Refused before anything is signed where a rule forbids it; OutcomeUnknown where patience ends
    before the last of them has: `go_on` finds out.
    """
    ended: list[Finding] = []
    try:
        if door.log is not None:
            payment_log.check(door, door.log)
        checks.check_wallet(door, payer, batch_id)
        wallets.adopt(door, payer.address, accept_history=True)
        look(door, wallet=payer.address)
        checks.check(door, payer, batch_id)
        _hand_over(door, payer, batch_id)
        go_on(door, payer, ended=ended)
    except (Exception, KeyboardInterrupt) as error:
        raise broken_off.told(door, ended, error, batch_id) from error
    give_up(door, batch_id)
    return ended


def go_on(door: Door, payer: ReplacingPayer, *, ended: list[Finding] | None = None) -> list[Finding]:
    """Bring to its end whatever is on its way from this wallet: look, hand over again, raise the price.

    ended: filled with what became of each, as it is found. Raises OutcomeUnknown once patience ends.
    """
    ended = [] if ended is None else ended
    patience, tries, last = Patience(door), 0, ""
    while True:
        try:
            findings = look(one_look.of(door), wallet=payer.address)
            patience.answered()
        except ChainUnreachable as error:
            last = plain(error)
            patience.away(error)
            findings = []
        ended += [finding for finding in findings if finding.state is not None]
        waiting = _open(door, payer)
        if not waiting:
            handover.list_payments(door)
            return ended
        last = next((finding.words for finding in findings if finding.state is None), last)
        if patience.over:
            raise OutcomeUnknown(f"{len(waiting)} transactions were sent and are not final yet", why=last)
        tries += 1
        _replace(door, payer, waiting)
        if tries % REPEAT_EVERY == 0:
            _again(door, payer, waiting)
        door.sleep(min(door.poll_s * (1 + tries / 10), 30.0))


def give_up(door: Door, batch_id: int) -> int:
    """Take out of a batch what it still owes, and close it: whoever made it decides anew. How much was taken out."""
    with writing(door.engine) as conn:
        batch = batches.get(conn, batch_id)
        attempts.lock_wallet(conn, batch.wallet)
        owed = batches.lines_of(conn, batch_id, LineState.OWED)
        batches.move_lines(conn, [line.id for line in owed], LineState.OWED, LineState.VOID)
        ledger.book(conn, entries(owed, -1, TOO_LATE))
        settle_if_done(conn, door.producer, batch_id)
    return len(owed)


def _hand_over(door: Door, payer: ReplacingPayer, batch_id: int) -> None:
    """Sign, write down and hand over every payment, in order, until one is not taken: what comes after it has a higher
    number, and would wait behind it."""
    with reading(door.engine) as conn:
        owed = batches.lines_of(conn, batch_id, LineState.OWED)
    for line in owed[: door.parallel - len(_open(door, payer))]:
        attempt = _signed(door, payer, batch_id, line)
        if attempt is None:
            return
        with handover.on_its_way(door, attempt):
            handover.hand_over_attempt(door, payer, attempt)
            with reading(door.engine) as conn:
                words = next((a.error for a in attempts.unresolved(conn, attempt.wallet) if a.id == attempt.id), "")
        if words.startswith(attempts.REFUSED):
            return


def _signed(door: Door, payer: ReplacingPayer, batch_id: int, line: BatchLine) -> Attempt | None:
    """One payment in the journal; None where it cannot be signed, or another process is at the wallet."""
    try:
        return handover.sign_and_journal(door, payer, batch_id, [line])
    except handover.Taken as taken:
        door.say(str(taken))
    except Unpayable as error:
        door.aside[line.id] = plain(error)
        door.say(f"{plain(line.name)} is left out: {plain(error)}")
    except Refused as error:
        if not _open(door, payer):
            raise
        door.say(str(error))
    return None


def _open(door: Door, payer: ReplacingPayer) -> list[Attempt]:
    with reading(door.engine) as conn:
        return attempts.unresolved(conn, payer.address)


def _newest(door: Door, waiting: list[Attempt]) -> dict[int, bytes]:
    """attempt -> the bytes that were signed for it last."""
    with reading(door.engine) as conn:
        signed_since = replacements.of_attempts(conn, [attempt.id for attempt in waiting])
    return {attempt.id: ([attempt.raw] + [r.raw for r in signed_since.get(attempt.id, [])])[-1] for attempt in waiting}


def _replace(door: Door, payer: ReplacingPayer, waiting: list[Attempt]) -> None:
    """Sign those anew that wait because of their price: same number, same call. Written down before they are handed
    over, as the first one was."""
    try:
        replaced = payer.replace(_newest(door, waiting))
    except ValtracError as error:
        door.say(plain(error))
        return
    for attempt in waiting:
        tx = replaced.get(attempt.id)
        if tx is None:
            continue
        with reading(door.engine) as conn:
            payments = checks.payments_of(door, attempts.lines_of_chunk(conn, attempt.chunk_id))
        checks.compare(door.chain, tx, payments, attempt.wallet, attempt.nonce)
        with writing(door.engine) as conn:
            attempts.lock_wallet(conn, attempt.wallet)
            is_open = any(other.id == attempt.id for other in attempts.unresolved(conn, attempt.wallet))
            if not is_open or not replacements.add(conn, attempt.id, tx):
                continue
        handover.hand_over(door, payer, tx.raw)
        door.say(f"{attempt.tx_id[:14]}... waits: signed anew as {tx.tx_id[:14]}... at a higher price")


def _again(door: Door, payer: ReplacingPayer, waiting: list[Attempt]) -> None:
    """Hand the newest bytes of each over once more, the lowest number first: a node may have lost them."""
    newest = _newest(door, waiting)
    for attempt in sorted(waiting, key=lambda attempt: attempt.nonce):
        if attempt.state in UNRESOLVED and newest[attempt.id] != attempt.raw:
            handover.hand_over(door, payer, newest[attempt.id])
        else:
            handover.hand_over_attempt(door, payer, attempt, again=True)
