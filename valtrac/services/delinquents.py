"""What cannot be paid by itself: handed to the owner as delinquent, with 1 BTS and words for its client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from valtrac.domain import contracts as domain
from valtrac.domain.batches import BatchLine
from valtrac.domain.chain import Head
from valtrac.domain.contracts import Due
from valtrac.domain.money import BTS, bts, decimal_text
from valtrac.services import cover, reconcile
from valtrac.services.due_outlook import Outlook, above_cap, fee_each, outlook
from valtrac.services.house import House, holds
from valtrac.store import attempts, batches, contracts, events, ledger, moves
from valtrac.store.engine import reading, writing


def give_up(house: House, batch_id: int) -> list[Due]:
    """Hand to the owner what the chain refused too often by itself; the client is told with 1 BTS."""
    with reading(house.engine) as conn:
        owed = batches.lines_of(conn, batch_id, "owed")
        refused = attempts.refusals(conn, batch_id)
    hopeless = [line for line in owed if refused.get(line.id, 0) >= house.settings.contracts_tries]
    found = []
    for line in hopeless:
        with writing(house.engine) as conn:
            attempts.lock_wallet(conn, house.custodian.id)
            carried = contracts.of_lines(conn, [line.id])
            if not carried or carried[0].state != "processing":
                continue
            batches.move_lines(conn, [line.id], "owed", "void")
            ledger.book(conn, entries(batch_id, [line], -1, f"payment no. {carried[0].id} was refused by the chain"))
            _delinquent(conn, house, carried[0], "processing", "the chain refused it")
            found.append(carried[0])
            reconcile.settle_if_done(conn, batch_id)
    return found


def impatient(house: House, head: Head) -> list[Due]:
    """Hand to the owner what has been due for longer than his patience, above a cap, or for want of money that has
    been wanting for as long: a payer that was locked for days first tries to cover what it lacks."""
    if not house.settings.contracts_patience_hours:
        return []
    with reading(house.engine) as conn:
        late = [one for one in contracts.payable(conn, head.at) if one.due_at < head.at - house.settings.patience]
        known = {one.id for one in late if above_cap(house.settings, one)}
        waiting, short_at = set(holds(conn)), _short_since(conn)
    late = [one for one in late if one.type in domain.OWED and one.account not in waiting]
    poor = short_at is not None and short_at < head.at - house.settings.patience
    if poor and any(one.id not in known for one in late):
        poor = not _coming(house, head)
    late = [one for one in late if poor or one.id in known]
    if not late:
        return []
    state = outlook(house, head)
    each = fee_each(state.fees, state.count)
    spare = state.funds - house.settings.contracts_reserve - state.reserved
    found = []
    for one in late:
        if one.id not in known and one.units + each <= spare:
            continue  # it can be paid now
        with writing(house.engine) as conn:
            fresh = contracts.due(conn, one.id)
            if fresh.state == "pending":
                why = "above the cap" if one.id in known else "there was no money for it"
                _delinquent(conn, house, fresh, "pending", why)
                found.append(fresh)
    return found


def too_late(house: House, head: Head) -> list[str]:
    """Leave what a manager wanted sent to an exchange and was not for half a day, also where it is in a batch already,
    and in no transaction: it is owed to nobody."""
    said = []
    for one in _deposits(house, head):
        if head.at - one.due_at <= cover.STALE or not _leave(house, one):
            continue
        said.append(f"{bts(one.units)} to {one.name} are too old by now ({one.words})")
    return said


def waiting_deposits(house: House, head: Head) -> list[str]:
    """What a manager wanted sent to an exchange and could not be yet, in words."""
    waiting = [one for one in _deposits(house, head) if one.state == "pending" and not above_cap(house.settings, one)]
    return [f"{bts(one.units)} to {one.name} wait for money, or the cap of the day ({one.words})" for one in waiting]


def _deposits(house: House, head: Head) -> list[Due]:
    with reading(house.engine) as conn:
        found = contracts.in_states(conn, "pending", "processing")
    return [one for one in found if one.type == domain.DEPOSIT and one.due_at <= head.at]


def _leave(house: House, one: Due) -> bool:
    """Whether it was left: not where it has moved on, or is in a transaction."""
    with writing(house.engine) as conn:
        attempts.lock_wallet(conn, house.custodian.id)
        fresh = contracts.due(conn, one.id)
        if fresh.state == "pending":
            contracts.move(conn, [one.id], "pending", "aborted", words="it could not be paid in time")
        elif fresh.state == "processing" and fresh.line_id is not None:
            line = batches.line(conn, fresh.line_id)
            if line.state != "owed":
                return False
            batches.move_lines(conn, [line.id], "owed", "void")
            ledger.book(conn, entries(line.batch_id, [line], -1, f"payment no. {one.id} was not made in time"))
            contracts.move(conn, [one.id], "processing", "aborted", words="it could not be paid in time")
            reconcile.settle_if_done(conn, line.batch_id)
        else:
            return False
        msg = {"no": one.id, "amount": decimal_text(one.units, BTS.decimals), "to": one.name,
               "warn": "a manager's request is too old by now"}  # fmt: skip
        events.add(conn, "alert", msg, nonce=one.nonce, name=one.name)
        return True


def _coming(house: House, head: Head) -> bool:
    """Whether exchange accounts send what is missing: they are asked once more before anything is given up."""
    if not house.exchanges:
        return False
    state = outlook(house, head)
    cover.step(house, state.missing, asked=state.asked)
    with reading(house.engine) as conn:
        asked = [one.asked_at or one.created_at for one in moves.in_states(conn, *moves.OPEN)]
    return any(house.now() - at < house.settings.patience for at in asked)


def _short_since(conn: sa.Connection) -> datetime | None:
    """Since when, by the chain's time, there has not been money enough; None while there is."""
    last = events.last(conn, "short")
    return None if last is None or last.msg["over"] else domain.moment(last.msg["at_ms"])


def note_short(house: House, head: Head, state: Outlook) -> None:
    """Write down when money began to lack, and when it did not lack any more."""
    with writing(house.engine) as conn:
        if (state.missing > 0) != (_short_since(conn) is not None):
            msg = {"over": not state.missing, "at_ms": domain.milliseconds(head.at), "block_num": head.number,
                   "missing": decimal_text(state.missing, BTS.decimals)}  # fmt: skip
            events.add(conn, "short", msg)


def _delinquent(conn: sa.Connection, house: House, one: Due, from_state: str, why: str) -> None:
    contracts.move(conn, [one.id], from_state, "delinquent", words=why)
    if one.type in domain.OWED:
        contracts.add_due(
            conn, type_=domain.SUPPORT, account=one.account, name=one.name, units=domain.NOTICE_UNITS,
            memo=domain.support_memo(one, house.settings.contracts_support), at=one.due_at, parent_id=one.id,
        )  # fmt: skip
    msg = {"no": one.id, "type": one.type, "number": one.number, "why": why, "to": one.name,
           "amount": decimal_text(one.units, BTS.decimals), "warn": "delinquent: pay it by hand"}  # fmt: skip
    events.add(conn, "delinquent", msg, nonce=one.nonce, name=one.name)


def entries(batch_id: int, lines: Sequence[BatchLine], sign: int, cause: str) -> list[dict[str, object]]:
    """What is booked when lines become owed (sign +1) or are given up (-1)."""
    return [
        {"person": line.person, "kind": "accrued", "units": sign * line.amount, "batch_id": batch_id,
         "line_id": line.id, "cause": cause}
        for line in lines
    ]  # fmt: skip
