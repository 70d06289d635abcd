"""Payments that fall due: found by the chain's time, reserved and made a batch in one transaction, sent by the door.

What a batch could not pay stays in it and is tried again; what the chain refuses again and again, or what there is
no money for within the owner's patience, is handed to the owner as delinquent, and the client is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain import contracts as domain
from valtrac.domain.batches import Batch, BatchLine, hash_of
from valtrac.domain.chain import Head, Payment
from valtrac.domain.contracts import Due
from valtrac.domain.money import BTS, bts, decimal_text, parse_units
from valtrac.errors import BadInput, Refused
from valtrac.ports import Payer
from valtrac.services import payouts, reconcile
from valtrac.services.house import LARGEST_LAG, House, holds
from valtrac.services.preflight import Short
from valtrac.store import attempts, batches, contracts, events, ledger, moves, operations
from valtrac.store.engine import reading, writing
from valtrac.store.moves import Move

MOST_LINES = 256


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be paid now and what there is. All in satoshi. due: pending and due; reserved: in batches not paid
    yet; funds: what the account holds; missing: for all of it, fees and the reserve; count: how many are
    due and not held; asked: what exchanges had been asked for a moment before."""

    due: int
    reserved: int
    funds: int
    fees: int
    missing: int
    held: tuple[tuple[Due, str], ...]
    count: int = 0
    asked: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of paying did. moved: payments that are irreversible now; words: what has to be said."""

    paid: int
    outlook: Outlook
    words: tuple[str, ...]


def as_read(house: House) -> Head:
    """The block up to which requests were read: what is paid is what was due by then, so that it hangs on the chain
    alone and not on which job was faster.

    Raises Refused where something may be unread that decides what is paid: the listener is too far behind, or a block
    after it holds a payment that is not in the journal (it is ruled on once it is irreversible).
    """
    head = house.chain.finalized()
    with reading(house.engine) as conn:
        at = operations.cursor(conn)
    if at is None or head.number - at.block > LARGEST_LAG:
        behind = "has never run" if at is None else f"is {head.number - at.block:,} blocks behind"
        raise Refused(
            f"the listener {behind}; nothing is paid before it has read on",
            "a request to stop, or a payment by other hands, may be in what it has not read",
            "start it: run.py contracts start",
        )
    newest, _ = house.chain.holding(house.custodian.id)
    left = {one.tx_id for block in house.chain.transfers(at.block + 1, newest, house.custodian.id)
            for one in block.transfers if one.sender == house.custodian.id}  # fmt: skip
    with reading(house.engine) as conn:
        strange = left - attempts.known(conn, left)
    if strange:
        raise Refused(
            "a payment has just left the account that is not in the journal; nothing is paid before it was read",
            f"transaction {min(strange)}: another wallet, or a newer copy of this database",
            "wait a minute, then see: run.py contracts waiting",
        )
    return head if at.block >= head.number else house.chain.block(at.block).head


def outlook(house: House, head: Head) -> Outlook:
    """What is to be paid at the chain's time of a block, and whether there is money for it."""
    with reading(house.engine) as conn:  # before the balance: what arrives in between then counts twice, not never
        asked = tuple(moves.in_states(conn, *moves.OPEN))
    funds = house.chain.account(house.custodian.id, head).free_units
    with reading(house.engine) as conn:
        found = contracts.payable(conn, head.at)
        reserved = sum(
            line.amount
            for batch in batches.listed(conn, ("approved", "sending"))
            for line in batches.lines_of(conn, batch.id, "owed", "chunked")
        )
        held = held_back(conn, house.settings, found)
    due = sum(one.units for one in found if one.id not in held)
    free = [one for one in found if one.id not in held]
    lent = sum(one.units for one in free if one.type == domain.DEPOSIT)  # what goes to an exchange is not fetched there
    fees = _fees(house, free)
    missing = due - lent + reserved + len(free) * _each(fees, len(free)) + house.settings.contracts_reserve - funds
    return Outlook(due, reserved, funds, fees, max(0, missing) if due > lent or reserved else 0,
                   tuple((one, held[one.id]) for one in found if one.id in held), len(free), asked)  # fmt: skip


def draft(house: House, head: Head) -> int | None:
    """Make a batch of what is due and can be paid, and return its number; None where there is nothing.

    Rows, batch, lines and ledger in one transaction, so that nothing is ever reserved twice or without a payment.
    What does not fit into the account's funds is passed over, and smaller payments after it are not.
    """
    state = outlook(house, head)
    with reading(house.engine) as conn:
        found = contracts.payable(conn, head.at)
        held = held_back(conn, house.settings, found)
        today = attempts.spent_since(conn, house.custodian.id, head.at)
    left = state.funds - house.settings.contracts_reserve - state.reserved
    allowed = house.settings.contracts_cap_day - today - state.reserved
    each = _each(state.fees, sum(one.id not in held for one in found))
    chosen: list[Due] = []
    for one in found:
        if one.id not in held and one.units + each <= left and one.units <= allowed and len(chosen) < MOST_LINES:
            chosen.append(one)
            left -= one.units + each
            allowed -= one.units
    return make_batch(house, chosen, "pending", head) if chosen else None


def make_batch(house: House, chosen: Sequence[Due], from_state: str, head: Head, *, by_hand: bool = False) -> int:
    """Turn dues into an approved batch, in one transaction. Raises Refused when one has moved on meanwhile.

    by_hand: the owner typed the amount, so that the cap per payment is not for it.
    """
    fee = _fees(house, chosen)
    total = sum(one.units for one in chosen)
    lines = [
        {
            "name": one.name, "person": f"account:{one.account}", "address": one.account, "from_pool": one.units,
            "released": 0, "fee_share": 0, "amount": one.units, "memo": one.memo,
        }
        for one in chosen
    ]  # fmt: skip
    plan = {
        "lines": [{"user": one.name, "address": one.account, "amount": one.units, "due": one.id} for one in chosen],
        "held": [], "excluded": [], "fee_from_pool": 0,
    }  # fmt: skip
    now = datetime.now(UTC)
    with writing(house.engine) as conn:
        attempts.lock_wallet(conn, house.custodian.id)
        batch_id = batches.insert_draft(
            conn,
            values={
                "hotkey": house.custodian.name, "netuid": "0", "wallet": house.custodian.id, "pool": total, "fee": fee,
                "fee_policy": "owner", "unassigned": 0, "total": total, "from_block": head.number,
                "to_block": head.number, "spec": {"by": "contracts", "by_hand": by_hand}, "plan": plan,
                "inputs_hash": hash_of([[one.id, one.units, one.account] for one in chosen]),
            },
            lines=lines,
        )  # fmt: skip
        batches.move(conn, batch_id, "draft", "approved", approved_at=now, note="standing policy")
        stored = batches.lines_of(conn, batch_id)
        batches.move_lines(conn, [line.id for line in stored], "planned", "owed")
        for one, line in zip(chosen, stored, strict=True):
            contracts.reserve(conn, one.id, from_state, line.id)
        ended = [one.contract_id for one in chosen if one.type == domain.PRINCIPAL and one.contract_id is not None]
        contracts.end_penalties(conn, ended, head.at)
        ledger.book(conn, _entries(batch_id, stored, +1, f"batch #{batch_id}, due by contract or request"))
    return batch_id


def pay(house: House, payer: Payer, *, patience_s: float = 180.0, poll_s: float | None = None) -> Round:
    """One round: finish what is open, then pay what is due. Raises ChainUnreachable, Refused where nothing may be
    paid at all, and OutcomeUnknown where a transaction has not been seen again: the next round finds it."""
    door = house.door(patience_s=patience_s, poll_s=poll_s)
    said: list[str] = []
    before = _confirmed(house)
    reconcile.reconcile(house.engine, house.chain, wallet=payer.address, witnesses=house.witnesses, log=house.log)
    head = as_read(house)
    with reading(house.engine) as conn:
        unfinished = [batch.id for batch in reversed(batches.listed(conn, ("approved", "sending")))]
    for batch_id in unfinished:
        try:
            said += _send(house, door, payer, batch_id)
        except Refused as error:  # a cap, say: it waits, and what else is due does not
            said.append(f"{error.what}: {error.why}" if error.why else error.what)
    impatient(house, head)
    while (fresh := draft(house, head)) is not None:
        words = _send(house, door, payer, fresh)
        said += words
        if words:
            break
        head = as_read(house)
    state = outlook(house, head)
    _note_short(house, head, state)
    return Round(_confirmed(house) - before, state, tuple(said))


def _send(house: House, door: payouts.Door, payer: Payer, batch_id: int) -> list[str]:
    """Send a batch; what it says when it cannot now. What the chain has refused often enough is given up."""
    said = []
    try:
        payouts.send(
            _by_hand(house, door, batch_id), payer, batch_id, isolate=True, retry_failed=True, accept_history=True
        )
    except Short as error:
        said = [error.what]
    give_up(house, batch_id)
    return said


def _by_hand(house: House, door: payouts.Door, batch_id: int) -> payouts.Door:
    """The door as a batch needs it: what the owner paid by hand may be above the cap per payment."""
    with reading(house.engine) as conn:
        batch = batches.get(conn, batch_id)
    if not batch.spec.get("by_hand"):
        return door
    cap = max(house.settings.contracts_cap_payment, batch.total)
    return replace(door, settings=house.settings.model_copy(update={"contracts_cap_payment": cap}))


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
            ledger.book(conn, _entries(batch_id, [line], -1, f"payment no. {carried[0].id} was refused by the chain"))
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
        known = {one.id for one in late if _above_cap(house.settings, one)}
        waiting, short_at = set(holds(conn)), _short_since(conn)
    poor = short_at is not None and short_at < head.at - house.settings.patience
    late = [one for one in late if one.account not in waiting and (poor or one.id in known)]
    if not late:
        return []
    state = outlook(house, head)
    each = _each(state.fees, state.count)
    spare = state.funds - house.settings.contracts_reserve - state.reserved
    found = []
    for one in late:
        if one.type not in domain.OWED or (one.id not in known and one.units + each <= spare):
            continue  # it can be paid now, or is a note or a move of our own
        with writing(house.engine) as conn:
            fresh = contracts.due(conn, one.id)
            if fresh.state == "pending":
                why = "above the cap" if one.id in known else "there was no money for it"
                _delinquent(conn, house, fresh, "pending", why)
                found.append(fresh)
    return found


def _short_since(conn: sa.Connection) -> datetime | None:
    """Since when, by the chain's time, there has not been money enough; None while there is."""
    last = events.last(conn, "short")
    return None if last is None or last.msg["over"] else domain.moment(last.msg["at_ms"])


def _note_short(house: House, head: Head, state: Outlook) -> None:
    """Write down when money began to lack, and when it did not lack any more."""
    with writing(house.engine) as conn:
        if (state.missing > 0) != (_short_since(conn) is not None):
            msg = {"over": not state.missing, "at_ms": domain.milliseconds(head.at), "block_num": head.number,
                   "missing": decimal_text(state.missing, BTS.decimals)}  # fmt: skip
            events.add(conn, "short", msg)


def pay_delinquent(house: House, payer: Payer, number: int, typed_total: str, *, patience_s: float = 180.0) -> Batch:
    """Pay a delinquent one by hand, once: its amount is typed as the confirmation.

    Raises BadInput where the amount differs or it is not delinquent, and whatever the door says.
    """
    with reading(house.engine) as conn:
        one = contracts.due(conn, number)
    if one.state != "delinquent":
        raise BadInput(f"payment no. {number} is {one.state}, not delinquent", "", "see: run.py contracts delinquent")
    if parse_units(typed_total.removesuffix("BTS"), field="total", decimals=BTS.decimals) != one.units:
        raise BadInput(
            f"payment no. {number} is {bts(one.units)}, not {typed_total.strip()[:40]}", "", "type its amount"
        )
    head = as_read(house)
    if one.units > house.settings.contracts_cap_day:
        raise Refused(
            f"payment no. {number} is {bts(one.units)}",
            f"the cap per day is {bts(house.settings.contracts_cap_day)}",
            "raise VALTRAC_CONTRACTS_CAP_DAY",
        )
    state = outlook(house, head)
    lacking = one.units + _fees(house, [one]) + state.reserved + house.settings.contracts_reserve - state.funds
    if lacking > 0:  # it would stand in the way of everybody else's payments
        raise Refused(
            f"{bts(lacking)} are missing for payment no. {number} of {bts(one.units)}",
            f"the account holds {bts(state.funds)}, with {bts(state.reserved)} of it in payments under way and "
            f"{bts(house.settings.contracts_reserve)} to be kept",
            f"send them to {house.custodian.name} with the memo loan, then pay again",
        )
    batch_id = make_batch(house, [one], "delinquent", head, by_hand=True)
    door = _by_hand(house, house.door(patience_s=patience_s), batch_id)
    return payouts.send(door, payer, batch_id, isolate=True, retry_failed=True, accept_history=True)


def held_back(conn: sa.Connection, settings: Settings, found: Sequence[Due]) -> dict[int, str]:
    """due id -> why it is not paid by itself: above the cap, or a transfer to its account is not in the journal."""
    holding, said = holds(conn), {}
    for one in found:
        if above_cap := _above_cap(settings, one):
            said[one.id] = above_cap
        elif one.account in holding:
            said[one.id] = holding[one.account]
    return said


def _above_cap(settings: Settings, one: Due) -> str:
    """Why one is too large to be paid by itself, or ""."""
    each, day = settings.contracts_cap_payment, settings.contracts_cap_day
    if one.units > each:
        return f"above the cap of {bts(each)} per payment"
    return f"above the cap of {bts(day)} per day" if one.units > day else ""


def _fees(house: House, found: Sequence[Due]) -> int:
    """What the chain would take for these payments, in satoshi."""
    size, total = house.chain.limits().max_payments, 0
    for start in range(0, len(found), size):
        payments = tuple(Payment(one.account, one.units, one.memo) for one in found[start : start + size])
        total += house.chain.estimate_fee(house.custodian.id, payments)
    return total


def _each(fees: int, count: int) -> int:
    """What is set aside for the fee of one payment: twice the mean. What is missing reckons with the same, or a
    payment could neither be made nor lack anything."""
    return -(-2 * fees // count) if count else 0


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


def _entries(batch_id: int, lines: Sequence[BatchLine], sign: int, cause: str) -> list[dict[str, object]]:
    return [
        {"person": line.person, "kind": "accrued", "units": sign * line.amount, "batch_id": batch_id,
         "line_id": line.id, "cause": cause}
        for line in lines
    ]  # fmt: skip


def _confirmed(house: House) -> int:
    with reading(house.engine) as conn:
        return contracts.count(conn, "confirmed")
