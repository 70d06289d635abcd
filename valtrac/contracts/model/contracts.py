"""Stake contracts: which rows one makes, what is due when, what ending it early costs, what is owed. Pure.

Amounts are satoshi of BTS (10^-5); what contracts pay is whole BTS, rounded down. Source of rates, months and
texts: the StakeBTS documents; times are the chain's, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from valtrac.contracts.model.states import DueState
from valtrac.core.money import BTS, bts, decimal_text

WHOLE: int = 10**BTS.decimals
MONTH_MS = 30 * 24 * 3600 * 1000
NOTICE_UNITS = WHOLE
AGREEMENT, PRINCIPAL, PENALTY, REWARD = "agreement", "principal", "penalty", "reward"
STOPPED, REFUND, SUPPORT, DEPOSIT = "stop", "refund", "support", "exchange"
ENDED_BY = "ended by request "  # in the words of a row that a stop ended, before the key of the request
FROM_MEMO = "memo"  # the source of a contract that was read on the chain, and did not come with a list
OWED = (PRINCIPAL, REWARD, STOPPED)  # what is owed to clients, as against notices and moves of our own
OPEN_STATES = (DueState.PENDING, DueState.PROCESSING, DueState.HANDED_OVER, DueState.DELINQUENT)
# the same rows by the names of the database that came before
OLD_NAMES = {PRINCIPAL: "base_amount"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a contract may be and what it pays. amounts: satoshi; months: word -> number of 30-day months;
    fee, least_refund: satoshi of invalid requests."""

    amounts: frozenset[int]
    months: Mapping[str, int]
    reward_bps: int
    penalty_bps: int
    fee: int
    least_refund: int
    month_ms: int = MONTH_MS


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a contract as it begins: a penalty's units are below zero."""

    type: str
    number: int
    units: int
    due_at: datetime
    state: DueState


@dataclass(frozen=True, slots=True)
class Contract:
    """A stored contract with the terms of its day. amount: satoshi; key: block:transaction:operation or its import;
    known_at: of an import, the chain's time when it was made: what comes later is another contract."""

    id: int
    key: str
    source: str
    account: str
    name: str
    amount: int
    months: int
    reward_bps: int
    penalty_bps: int
    month_ms: int
    start_at: datetime
    block: int
    trx: int
    op: int
    known_at: datetime | None

    @property
    def called(self) -> str:
        """What clients and screens call it: its key, or what it is where it came from a list."""
        if not self.key.startswith("list:"):
            return self.key
        return f"of {bts_text(self.amount)} BTS since {self.start_at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Due:
    """A row that is or was owed. units: satoshi; state: one of seven; line_id: the payment that carries it."""

    id: int
    contract_id: int | None
    operation_id: int | None
    parent_id: int | None
    type: str
    number: int
    account: str
    name: str
    units: int
    memo: str
    start_at: datetime
    due_at: datetime
    state: DueState
    line_id: int | None
    block: int | None
    tx_id: str
    processed_at: datetime | None
    words: str

    @property
    def nonce(self) -> int:
        """The start of its agreement in milliseconds since 1970, as the old trail numbers it."""
        return milliseconds(self.start_at)

    @property
    def is_open(self) -> bool:
        """Whether it is still owed; one that was paid before it came into this ledger has no line and is not."""
        return self.state in OPEN_STATES and not self.was_paid_before

    @property
    def ended_by(self) -> str:
        """The key of the request that ended it before its time, "" where none did."""
        return self.words.removeprefix(ENDED_BY) if self.words.startswith(ENDED_BY) else ""

    @property
    def was_paid_before(self) -> bool:
        """Whether it came with an import as paid."""
        return self.state == DueState.HANDED_OVER and self.line_id is None


def milliseconds(at: datetime) -> int:
    """An instant as whole milliseconds since 1970 (UTC), without a float in between."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def moment(ms: int) -> datetime:
    """The instant of whole milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def whole(units: int) -> int:
    """Satoshi rounded down to whole BTS, in satoshi."""
    return units - units % WHOLE


def bts_text(units: int) -> str:
    """Whole BTS without places, anything else with all of them: 25000, 0.50000."""
    return str(units // WHOLE) if units % WHOLE == 0 else decimal_text(units, BTS.decimals)


def rows(amount: int, months: int, start_at: datetime, terms: Terms, *, notice: bool = True) -> tuple[Row, ...]:
    """The 3 + months rows of a contract: agreement, principal, penalty, rewards 1..months.

    amount: satoshi; rewards and penalty are rounded down to whole BTS (the penalty towards nothing). A reward that
    comes to nothing is never paid.
    """
    month = timedelta(milliseconds=terms.month_ms)
    end = start_at + months * month
    reward = whole(amount * terms.reward_bps // 10_000)
    penalty = whole(amount * terms.penalty_bps // 10_000)
    return (
        Row(AGREEMENT, 0, NOTICE_UNITS, start_at, DueState.PENDING if notice else DueState.ABORTED),
        Row(PRINCIPAL, 0, amount, end, DueState.PENDING),
        Row(PENALTY, 0, -penalty, end, DueState.PENDING),
        *(
            Row(REWARD, number, reward, start_at + number * month, DueState.PENDING if reward else DueState.ABORTED)
            for number in range(1, months + 1)
        ),
    )


def refund(units: int, terms: Terms) -> int:
    """What goes back of an invalid request: whole BTS less the fee, 0 where that is not above the least refund."""
    left = whole(units) - terms.fee
    return left if left > terms.least_refund else 0


def ended_early(owed: Sequence[Due]) -> int:
    """What ending contracts before their term pays: their pending principals less their penalties."""
    return sum(due.units for due in owed if due.type in (PRINCIPAL, PENALTY))


@dataclass(frozen=True, slots=True)
class Liabilities:
    """What is owed, in satoshi. gross: all that is open; month, week, day: of it what falls due by then, what is past
    due included; past_due: open and due already; processed: paid in the last 48 hours; due: in the next 48."""

    gross: int
    month: int
    week: int
    day: int
    past_due: int
    processed_48h: int
    due_48h: int
    clients: int


def liabilities(dues: Iterable[Due], now: datetime) -> Liabilities:
    """What is owed to clients as of a moment; principal, rewards and ended contracts, in whichever open state."""
    owed = [due for due in dues if due.type in OWED]
    still = [due for due in owed if due.is_open]

    def by(days: float) -> int:
        return sum(due.units for due in still if due.due_at <= now + timedelta(days=days))

    done = [due for due in owed if due.state == DueState.CONFIRMED and due.processed_at is not None]
    return Liabilities(
        gross=sum(due.units for due in still),
        month=by(30),
        week=by(7),
        day=by(1),
        past_due=sum(due.units for due in still if due.due_at < now),
        processed_48h=sum(due.units for due in done if (due.processed_at or now) > now - timedelta(hours=48)),
        due_48h=sum(due.units for due in still if now <= due.due_at <= now + timedelta(hours=48)),
        clients=len({due.account for due in still}),
    )


def warnings(owed: Liabilities, wallet: int, everywhere: int | None) -> list[str]:
    """What the owner must hear about what is owed. wallet, everywhere: satoshi here, and with all exchange accounts."""
    said = []
    if owed.day > wallet:
        said.append(f"the account lacks {bts(owed.day - wallet)} of what is due within 24 hours")
    if everywhere is not None and owed.day > everywhere:
        said.append(f"all wallets together lack {bts(owed.day - everywhere)} of what is due within 24 hours")
    if owed.past_due:
        said.append(f"{bts(owed.past_due)} are past due")
    return said


# -- the words that go with payments ---------------------------------------------------------------


def payment_memo(type_: str, number: int, months: int, key: str) -> str:
    """The memo of a row of a contract that is paid."""
    which = f"reward {number} of {months}" if type_ == REWARD else type_
    return f"Payment of {which} for stake contract {key}. Thank you for your trust."


def which(due: Due, contract: Contract | None) -> str:
    """Which payment it is, for the log of payments: `no. 5, reward 2 of 3, contract 21:0:0`."""
    if contract is None:
        return f"no. {due.id}, {due.type}" + (f": {due.memo}" if due.memo else "")
    number = f" {due.number} of {contract.months}" if due.type == REWARD else ""
    return f"no. {due.id}, {due.type}{number}, contract {contract.called}"


def notice_memo(months: int, amount: int, start_at: datetime, key: str) -> str:
    """The memo of the 1 BTS that tells a client that the contract stands."""
    return f"{months} month stake contract of {bts_text(amount)} BTS stands since {start_at:%Y-%m-%d %H:%M} UTC: {key}"


def stop_memo(keys: Sequence[str]) -> str:
    """The memo of a payment that ends contracts early."""
    named = ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
    return f"Principal less penalty of stake contract{'s' if len(keys) > 1 else ''} ended early: {named}"


def refund_memo(fee: int, why: str) -> str:
    """The memo of money that goes back."""
    return f"{bts_text(fee)} BTS fee charged: {why}" if fee else f"No fee charged: {why}"


def support_memo(due: Due, support: str) -> str:
    """The memo of the 1 BTS that says that a payment could not be made."""
    reach = f"; please contact {support}" if support else "; please contact us"
    return f"Your payment of {bts_text(due.units)} BTS ({due.type} {due.number}, no. {due.id}) could not be made{reach}"


def memos_of(contract: Contract, rows: Iterable[Row]) -> dict[tuple[str, int], str]:
    """(type, number) of each row of a contract -> the words that go with it when it is paid."""
    memos = {}
    for row in rows:
        memo = payment_memo(row.type, row.number, contract.months, contract.called)
        if row.type == AGREEMENT:
            memo = notice_memo(contract.months, contract.amount, contract.start_at, contract.called)
        memos[row.type, row.number] = memo
    return memos
