"""Payments that fall due: found by the chain's time, reserved and made a batch in one transaction, sent by the door.

What a batch could not pay stays in it and is tried again, until it is given up (`delinquents`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from valtrac.domain import contracts as domain
from valtrac.domain.batches import Batch, hash_of
from valtrac.domain.chain import Head
from valtrac.domain.contracts import Due
from valtrac.domain.money import BTS, bts, parse_units
from valtrac.errors import BadInput, Refused
from valtrac.ports import Payer
from valtrac.services import payouts, reconcile
from valtrac.services.delinquents import entries, give_up, impatient, note_short, too_late, waiting_deposits
from valtrac.services.due_outlook import Outlook, as_read, fee_each, fees_of, held_back, outlook
from valtrac.services.house import House, waits
from valtrac.services.preflight import Short
from valtrac.store import attempts, batches, contracts, ledger
from valtrac.store.engine import reading, writing

MOST_LINES = 256


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of paying did. paid: payments that are irreversible now; words: what has to be said."""

    paid: int
    outlook: Outlook
    words: tuple[str, ...]


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
    each = fee_each(state.fees, sum(one.id not in held for one in found))
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
    fee = fees_of(house, chosen)
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
        ledger.book(conn, entries(batch_id, stored, +1, f"batch #{batch_id}, due by contract or request"))
    return batch_id


def pay(house: House, payer: Payer, *, patience_s: float = 180.0, poll_s: float | None = None) -> Round:
    """One round: finish what is open, then pay what is due. Raises ChainUnreachable, Refused where nothing may be
    paid at all, and OutcomeUnknown where a transaction has not been seen again: the next round finds it."""
    _switched_on(house)
    door = house.door(patience_s=patience_s, poll_s=poll_s)
    said: list[str] = []
    before = _confirmed(house)
    reconcile.reconcile(house.engine, house.chain, wallet=payer.address, witnesses=house.witnesses, log=house.log)
    head = as_read(house)
    said += too_late(house, head)
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
    state = outlook(house, head)
    said += waiting_deposits(house, head)
    note_short(house, head, state)
    return Round(_confirmed(house) - before, state, tuple(said))


def _switched_on(house: House) -> None:
    if not house.settings.contracts_payments:
        raise Refused(
            "payments are switched off", "VALTRAC_CONTRACTS_PAYMENTS=no", "set it to yes, or take it out of .env"
        )


def _send(house: House, door: payouts.Door, payer: Payer, batch_id: int) -> list[str]:
    """Send a batch; what it says when it cannot now. What the chain has refused often enough is given up."""
    said = []
    try:
        payouts.send(
            _by_hand(house, door, batch_id), payer, batch_id, isolate=True, retry_failed=True, accept_history=True
        )
    except Short as error:
        said = [error.what]
    with reading(house.engine) as conn:
        owed = batches.lines_of(conn, batch_id, "owed")
        held = waits(conn, owed)
    said += [f"{line.name} waits: {held[line.id]}" for line in owed if line.id in held]
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
    _switched_on(house)
    head = as_read(house)
    if one.units > house.settings.contracts_cap_day:
        raise Refused(
            f"payment no. {number} is {bts(one.units)}",
            f"the cap per day is {bts(house.settings.contracts_cap_day)}",
            "raise VALTRAC_CONTRACTS_CAP_DAY",
        )
    state = outlook(house, head)
    lacking = one.units + fees_of(house, [one]) + state.reserved + house.settings.contracts_reserve - state.funds
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


def _confirmed(house: House) -> int:
    with reading(house.engine) as conn:
        return contracts.count(conn, "confirmed")
