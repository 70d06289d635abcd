"""What cannot be paid by itself: handed to the owner as delinquent, with 1 BTS and words for its client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from valtrac.contracts import exchange_transfers
from valtrac.contracts.custodian import Custodian
from valtrac.contracts.forecast import Outlook, above_cap, outlook
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.contracts import Due
from valtrac.contracts.model.money import fee_each
from valtrac.contracts.model.states import DueState
from valtrac.contracts.model.withdrawals import STALE, given_up
from valtrac.contracts.producer import held_accounts
from valtrac.contracts.store import audit_events, contracts, withdrawals
from valtrac.core.chain import Head
from valtrac.core.money import BTS, bts, decimal_text
from valtrac.database.engine import reading, writing
from valtrac.payments import reconcile
from valtrac.payments.model.states import LineState
from valtrac.payments.standing_batches import entries
from valtrac.payments.store import attempts, batches, ledger


def give_up(custodian: Custodian, batch_id: int, aside: Mapping[int, str], head: Head) -> list[Due]:
    """Let the owner pay by hand what the chain refused too often, each alone, and what has been late for longer than
    his patience because nothing could be signed for it; the client is told with 1 BTS.

    aside: line id -> why nothing could be signed for it.
    """
    with reading(custodian.engine) as conn:
        owed = batches.lines_of(conn, batch_id, LineState.OWED)
        refused = attempts.refusals(conn, batch_id)
        late = _late_lines(conn, custodian, [line.id for line in owed if line.id in aside], head)
    hopeless = {
        line.id: (line, "the chain refused it")
        for line in owed
        if refused.get(line.id, 0) >= custodian.settings.contracts_tries
    }
    hopeless |= {line.id: (line, aside[line.id]) for line in owed if line.id in late}
    changes = []
    for line, why in hopeless.values():
        with writing(custodian.engine) as conn:
            attempts.lock_wallet(conn, custodian.account.id)
            carried = contracts.of_lines(conn, [line.id])
            if not carried or carried[0].state != DueState.PROCESSING:
                continue
            batches.move_lines(conn, [line.id], LineState.OWED, LineState.VOID)
            ledger.book(conn, entries([line], -1, f"payment no. {carried[0].id} is given up"))
            _delinquent(conn, custodian, carried[0], DueState.PROCESSING, why[:200])
            changes.append(carried[0])
            reconcile.settle_if_done(conn, custodian.producer, batch_id)
    return changes


def _late_lines(conn: sa.Connection, custodian: Custodian, line_ids: Sequence[int], head: Head) -> set[int]:
    """Those lines whose dues are late for longer than the owner's patience; none where that has no end."""
    if not custodian.settings.contracts_patience_hours:
        return set()
    since = head.at - custodian.settings.patience
    return {due.line_id for due in contracts.of_lines(conn, line_ids) if due.line_id is not None and due.due_at < since}


def impatient(custodian: Custodian, head: Head) -> list[Due]:
    """Let the owner pay by hand what has been late for longer than his patience: payments above a cap, and payments
    for which there has not been money for as long. Exchanges are asked once more first."""
    if not custodian.settings.contracts_patience_hours:
        return []
    with reading(custodian.engine) as conn:
        late = [due for due in contracts.payable(conn, head.at) if due.due_at < head.at - custodian.settings.patience]
        known = {due.id for due in late if above_cap(custodian.settings, due)}
        waiting, short_at = set(held_accounts(conn)), _short_since(conn)
    late = [due for due in late if due.type in domain.OWED and due.account not in waiting]
    poor = short_at is not None and short_at < head.at - custodian.settings.patience
    if poor and any(due.id not in known for due in late):
        poor = not _coming(custodian, head)
    if not poor and not any(due.id in known for due in late):
        return []
    state = outlook(custodian, head)
    each = fee_each(state.fees, state.count)
    spare = state.funds - custodian.settings.contracts_reserve - state.reserved
    changes = []
    for number, why in given_up(late, above_cap=known, poor=poor, each=each, spare=spare).items():
        with writing(custodian.engine) as conn:
            fresh = contracts.due(conn, number)
            if fresh.state == DueState.PENDING:
                _delinquent(conn, custodian, fresh, DueState.PENDING, why)
                changes.append(fresh)
    return changes


def too_late(custodian: Custodian, head: Head) -> list[str]:
    """Cancel manager deposits older than 12 hours that no transaction carries; returns what was cancelled, in words."""
    said = []
    for due in _deposits(custodian, head):
        if head.at - due.due_at <= STALE or not _cancel(custodian, due):
            continue
        said.append(f"{bts(due.units)} to {due.name} are too old by now ({due.words})")
    return said


def waiting_deposits(custodian: Custodian, head: Head) -> list[str]:
    """The manager deposits that still wait for money or for the cap of the day, in words."""
    waiting = [
        due
        for due in _deposits(custodian, head)
        if due.state == DueState.PENDING and not above_cap(custodian.settings, due)
    ]
    return [f"{bts(due.units)} to {due.name} wait for money, or the cap of the day ({due.words})" for due in waiting]


def _deposits(custodian: Custodian, head: Head) -> list[Due]:
    with reading(custodian.engine) as conn:
        open_dues = contracts.in_states(conn, DueState.PENDING, DueState.PROCESSING)
    return [due for due in open_dues if due.type == domain.DEPOSIT and due.due_at <= head.at]


def _cancel(custodian: Custodian, due: Due) -> bool:
    """Cancel a deposit; whether it was cancelled: not where it has moved on, or a transaction carries it."""
    with writing(custodian.engine) as conn:
        attempts.lock_wallet(conn, custodian.account.id)
        fresh = contracts.due(conn, due.id)
        if fresh.state == DueState.PENDING:
            contracts.move(conn, [due.id], DueState.PENDING, DueState.ABORTED, words="it could not be paid in time")
        elif fresh.state == DueState.PROCESSING and fresh.line_id is not None:
            line = batches.line(conn, fresh.line_id)
            if line.state != LineState.OWED:
                return False
            batches.move_lines(conn, [line.id], LineState.OWED, LineState.VOID)
            ledger.book(conn, entries([line], -1, f"payment no. {due.id} was not made in time"))
            contracts.move(conn, [due.id], DueState.PROCESSING, DueState.ABORTED, words="it could not be paid in time")
            reconcile.settle_if_done(conn, custodian.producer, line.batch_id)
        else:
            return False
        msg = {
            "no": due.id,
            "amount": decimal_text(due.units, BTS.decimals),
            "to": due.name,
            "warn": "a manager's request is too old by now",
        }
        audit_events.add(conn, "alert", msg, nonce=due.nonce, name=due.name)
        return True


def _coming(custodian: Custodian, head: Head) -> bool:
    """Whether exchange accounts send what is missing: they are asked once more before anything is given up."""
    if not custodian.exchanges:
        return False
    state = outlook(custodian, head)
    exchange_transfers.step(custodian, state.missing, asked=state.asked)
    with reading(custodian.engine) as conn:
        running = withdrawals.in_states(conn, *withdrawals.OPEN)
    asked = [withdrawal.asked_at or withdrawal.created_at for withdrawal in running]
    return any(custodian.now() - since < custodian.settings.patience for since in asked)


def _short_since(conn: sa.Connection) -> datetime | None:
    """Since when, by the chain's time, there has not been money enough; None while there is."""
    last = audit_events.last(conn, "short")
    return None if last is None or last.msg["over"] else domain.moment(last.msg["at_ms"])


def note_short(custodian: Custodian, head: Head, state: Outlook) -> None:
    """Write down when money began to lack, and when it did not lack any more."""
    with writing(custodian.engine) as conn:
        if (state.missing > 0) != (_short_since(conn) is not None):
            msg = {
                "over": not state.missing,
                "at_ms": domain.milliseconds(head.at),
                "block_num": head.number,
                "missing": decimal_text(state.missing, BTS.decimals),
            }
            audit_events.add(conn, "short", msg)


def _delinquent(conn: sa.Connection, custodian: Custodian, due: Due, from_state: DueState, why: str) -> None:
    contracts.move(conn, [due.id], from_state, DueState.DELINQUENT, words=why)
    if due.type in domain.OWED:
        contracts.add_due(
            conn,
            type_=domain.SUPPORT,
            account=due.account,
            name=due.name,
            units=domain.NOTICE_UNITS,
            memo=domain.support_memo(due, custodian.settings.contracts_support),
            at=due.due_at,
            parent_id=due.id,
        )
    msg = {
        "no": due.id,
        "type": due.type,
        "number": due.number,
        "why": why,
        "to": due.name,
        "amount": decimal_text(due.units, BTS.decimals),
        "warn": "delinquent: pay it by hand",
    }
    audit_events.add(conn, "delinquent", msg, nonce=due.nonce, name=due.name)
