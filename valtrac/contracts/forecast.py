"""What is due, as of the block up to which requests were read, what is held back of it, and whether there is money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.contracts.custodian import LARGEST_LAG, Custodian
from valtrac.contracts.marks import marks_of
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.contracts import Due
from valtrac.contracts.model.money import missing
from valtrac.contracts.producer import held_accounts
from valtrac.contracts.settings import ContractSettings
from valtrac.contracts.store import contracts, transfers, withdrawals
from valtrac.contracts.store.withdrawals import Withdrawal
from valtrac.core.chain import Head, Payment
from valtrac.core.errors import Refused
from valtrac.core.money import bts
from valtrac.database.engine import reading
from valtrac.payments.model.states import UNFINISHED, LineState
from valtrac.payments.store import attempts, batches


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
    asked: tuple[Withdrawal, ...] = ()


def as_read(custodian: Custodian) -> Head:
    """The block up to which requests were read: what is paid is what was due by then, so that it hangs on the chain
    alone and not on which job was faster.

    Raises Refused where something may be unread that decides what is paid: the listener is too far behind, or as
    `read_on` says.
    """
    head = custodian.chain.finalized()
    with reading(custodian.engine) as conn:
        cursor = transfers.cursor(conn)
    if cursor is None or head.number - cursor.block > LARGEST_LAG:
        behind = "has never run" if cursor is None else f"is {head.number - cursor.block:,} blocks behind"
        raise Refused(
            f"the listener {behind}; nothing is paid before it has read on",
            why="a request to stop, or a payment by other hands, may be in what it has not read",
            fix="start it: run.py contracts start",
        )
    head = read_on(custodian)
    return head if cursor.block >= head.number else custodian.chain.block(cursor.block).head


def read_on(custodian: Custodian) -> Head:
    """The newest irreversible block, once all that the listener has not read yet was read for what left the account.

    Raises Refused where a block after its last one holds a payment that is not in the journal: it is booked, or ruled
    on, once it is irreversible.
    """
    head = custodian.chain.finalized()
    with reading(custodian.engine) as conn:
        cursor = transfers.cursor(conn)
    newest = max(head.number, custodian.chain.holding(custodian.account.id)[0])
    left = {
        transfer.tx_id
        for block in custodian.chain.transfers(cursor.block + 1 if cursor else 1, newest, custodian.account.id)
        for transfer in block.transfers
        if transfer.sender == custodian.account.id
    }
    with reading(custodian.engine) as conn:
        strange = left - (attempts.known(conn, left) - attempts.ruled_dead(conn, left))
    if strange:
        raise Refused(
            "a payment has just left the account that is not in the journal; nothing is paid before it was read",
            why=f"transaction {min(strange)}: another wallet, or a newer copy of this database",
            fix="wait a minute, then see: run.py contracts waiting",
        )
    return head


def outlook(custodian: Custodian, head: Head) -> Outlook:
    """What is to be paid at the chain's time of a block, and whether there is money for it."""
    with reading(custodian.engine) as conn:  # before the balance: what arrives in between then counts twice, not never
        asked = tuple(withdrawals.in_states(conn, *withdrawals.OPEN))
    funds = custodian.chain.balance(custodian.account.id, head)
    with reading(custodian.engine) as conn:
        due_now = contracts.payable(conn, head.at)
        reserved = sum(
            line.amount
            for batch in batches.listed(conn, UNFINISHED)
            for line in batches.lines_of(conn, batch.id, LineState.OWED, LineState.CHUNKED)
        )
        held = held_back(conn, custodian.settings, due_now)
    payable = [due for due in due_now if due.id not in held]
    fees = fees_of(custodian, payable, head)
    lacking = missing(
        payable,
        lent=sum(due.units for due in payable if due.type == domain.DEPOSIT),
        reserved=reserved,
        fees=fees,
        reserve=custodian.settings.contracts_reserve,
        funds=funds,
    )
    return Outlook(
        sum(due.units for due in payable),
        reserved,
        funds,
        fees,
        lacking,
        tuple((due, held[due.id]) for due in due_now if due.id in held),
        len(payable),
        asked,
    )


def held_back(conn: sa.Connection, settings: ContractSettings, dues: Sequence[Due]) -> dict[int, str]:
    """due id -> why it is not paid by itself: above the cap, or a transfer to its account is not in the journal."""
    holding, said = held_accounts(conn), {}
    for due in dues:
        if words := above_cap(settings, due):
            said[due.id] = words
        elif due.account in holding:
            said[due.id] = holding[due.account]
    return said


def above_cap(settings: ContractSettings, due: Due) -> str:
    """Why a payment is too large to be paid by itself, or ""."""
    each, day = settings.contracts_cap_payment, settings.contracts_cap_day
    if due.units > each:
        return f"above the cap of {bts(each)} per payment"
    return f"above the cap of {bts(day)} per day" if due.units > day else ""


def fees_of(custodian: Custodian, dues: Sequence[Due], head: Head) -> int:
    """What these payments will cost, in satoshi."""
    size, total = custodian.chain.limits().max_payments, 0
    with reading(custodian.engine) as conn:
        marks = marks_of(conn, dues, head)
    for start in range(0, len(dues), size):
        payments = tuple(Payment(due.account, due.units, due.memo, marks[due.id]) for due in dues[start : start + size])
        total += custodian.chain.estimate_fee(custodian.account.id, payments)
    return total
