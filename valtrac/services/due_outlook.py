"""What is due, as of the block up to which requests were read, what is held back of it, and whether there is money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain import contracts as domain
from valtrac.domain.chain import Head, Payment
from valtrac.domain.contracts import Due
from valtrac.domain.money import bts
from valtrac.errors import Refused
from valtrac.services.house import LARGEST_LAG, House, holds
from valtrac.store import attempts, batches, contracts, moves, operations
from valtrac.store.engine import reading
from valtrac.store.moves import Move


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
    fees = fees_of(house, free)
    missing = due - lent + reserved + len(free) * fee_each(fees, len(free)) + house.settings.contracts_reserve - funds
    return Outlook(due, reserved, funds, fees, max(0, missing) if due > lent or reserved else 0,
                   tuple((one, held[one.id]) for one in found if one.id in held), len(free), asked)  # fmt: skip


def held_back(conn: sa.Connection, settings: Settings, found: Sequence[Due]) -> dict[int, str]:
    """due id -> why it is not paid by itself: above the cap, or a transfer to its account is not in the journal."""
    holding, said = holds(conn), {}
    for one in found:
        if words := above_cap(settings, one):
            said[one.id] = words
        elif one.account in holding:
            said[one.id] = holding[one.account]
    return said


def above_cap(settings: Settings, one: Due) -> str:
    """Why a payment is too large to be paid by itself, or ""."""
    each, day = settings.contracts_cap_payment, settings.contracts_cap_day
    if one.units > each:
        return f"above the cap of {bts(each)} per payment"
    return f"above the cap of {bts(day)} per day" if one.units > day else ""


def fees_of(house: House, found: Sequence[Due]) -> int:
    """What the chain would take for these payments, in satoshi."""
    size, total = house.chain.limits().max_payments, 0
    for start in range(0, len(found), size):
        payments = tuple(Payment(one.account, one.units, one.memo) for one in found[start : start + size])
        total += house.chain.estimate_fee(house.custodian.id, payments)
    return total


def fee_each(fees: int, count: int) -> int:
    """What is set aside for the fee of one payment: twice the mean. What is missing reckons with the same, or a
    payment could neither be made nor lack anything."""
    return -(-2 * fees // count) if count else 0
