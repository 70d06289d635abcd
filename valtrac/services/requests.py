"""What a transfer to or from the custodian asks for, and what follows from it, in one transaction with its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

import sqlalchemy as sa

from valtrac.domain import contracts as domain
from valtrac.domain import memos
from valtrac.domain.chain import Named, Transfer
from valtrac.domain.money import BTS, decimal_text
from valtrac.domain.text import storable
from valtrac.ports import NoKey, Unreadable
from valtrac.services.house import CORE_ASSET, House
from valtrac.store import attempts, contracts, events, moves, operations
from valtrac.store.operations import Operation

LARGEST_WITHDRAWAL_FEE = 100 * domain.WHOLE
STOPPED_LATER = "its sender asked to stop afterwards"
AFTER_ALL = timedelta(days=30)
SAME_CONTRACT = timedelta(days=1)  # a list names the start of a contract to the day at best


@dataclass(frozen=True, slots=True)
class Heard:
    """A transfer with what only the chain could tell of it: who the other side is, and what the memo says.

    words: None where there is none, or where it is not a memo; unread: why it could not be read yet, else "".
    """

    transfer: Transfer
    at: datetime
    other: Named
    words: str | None
    unread: str = ""
    broken: bool = False


def hear(house: House, transfer: Transfer, at: datetime, who: Mapping[str, Named]) -> Heard:
    """Read a transfer's memo. Nothing is decided here, and nothing is charged for a memo that we cannot read."""
    came_in = transfer.receiver == house.custodian.id
    account = transfer.sender if came_in else transfer.receiver
    other = who.get(account, Named(account, account, False))
    if not came_in or transfer.memo is None or transfer.asset_id != CORE_ASSET:
        return Heard(transfer, at, other, None)
    try:
        return Heard(transfer, at, other, house.chain.read_memo(transfer.memo))
    except NoKey as error:
        return Heard(transfer, at, other, None, unread=str(error) or "the key for its memo is missing")
    except Unreadable:
        return Heard(transfer, at, other, None, broken=True)


def take(conn: sa.Connection, house: House, heard: Heard, head: int) -> Operation | None:
    """Write a transfer down and do what it asks for; None where that was done before.

    head: the newest irreversible block, against which the age of a manager's request is told.
    """
    transfer, custodian = heard.transfer, house.custodian.id
    came_in = transfer.receiver == custodian
    state, kind = ("waiting", "") if came_in else _outgoing(conn, transfer)
    if came_in and transfer.asset_id != CORE_ASSET:
        state, kind = "handled", "other_asset"
    elif came_in and (transfer.block in house.settings.skipped_blocks or _is_passed_over(conn, transfer.block)):
        state, kind = "handled", operations.SKIPPED
    done = operations.add(
        conn, transfer, at=heard.at, custodian=custodian, name=heard.other.name, state=state, kind=kind,
        words=heard.unread,
    )  # fmt: skip
    if done is None and state == "waiting":  # it was skipped once, and is not any more
        done = operations.take_up(conn, transfer.block, transfer.trx, transfer.op)
        if done is not None and stopped_later(conn, done):
            _park(conn, done, STOPPED_LATER)
            operations.move(conn, done, "parked", words=STOPPED_LATER)
            return operations.get(conn, done.id)
    if done is None:
        return None
    _tell(conn, done, "transfer", kind=kind or None)
    if state == "waiting" and not heard.unread and not _waits_for_another(conn, done):
        decide(conn, house, done, heard.words, heard.other, head, broken=heard.broken)
    return operations.get(conn, done.id)


def stopped_later(conn: sa.Connection, operation: Operation) -> bool:
    """Whether its sender asked to stop after it, and was answered."""
    stops = operations.listed(conn, "handled", kind="stop", account=operation.account)
    return any(one.place > operation.place for one in stops)


def _is_passed_over(conn: sa.Connection, block: int) -> bool:
    """Whether the owner wanted to begin after this block: it is read for what left the account, not for requests."""
    last = operations.cursor(conn, operations.PASSED_OVER)
    return last is not None and block <= last.block


def _waits_for_another(conn: sa.Connection, operation: Operation) -> bool:
    """Whether an older memo of the same account is not read yet: what it asked for comes first."""
    waiting = operations.listed(conn, "waiting", account=operation.account)
    return any(one.place < operation.place for one in waiting)


def decide(
    conn: sa.Connection, house: House, operation: Operation, words: str | None, other: Named, head: int, *,
    broken: bool = False, by_owner: bool = False,
) -> None:  # fmt: skip
    """Do what an incoming transfer asks for, once: contract, stop, loan, a manager's move, or the money back.

    by_owner: he says what it asks for, so that it is not laid before him again.
    """
    settings, terms = house.settings, house.settings.contract_terms
    request, exchange = memos.parse(words, frozenset(terms.months)), ""
    if broken:
        request = memos.Request(memos.INVALID, why="the memo cannot be read")
    if not by_owner and other.name in settings.contracts_never_refund and request.type != memos.LOAN:
        kind = _park(conn, operation, "from an account that is never sent anything back, such as an exchange's wallet")
    elif not by_owner and request.type == memos.INVALID and _may_be_a_withdrawal(conn, operation):
        kind = _park(conn, operation, "it may be what was asked of an exchange, without its memo")
    elif request.type in terms.months:
        if domain.whole(operation.units) in terms.amounts:
            kind = _begin(conn, house, operation, terms.months[request.type])
        else:
            request = memos.Request(memos.INVALID, why="the amount is none that a contract may have")
            kind = _refund(conn, house, operation, request)
    elif request.type == memos.STOP:
        kind = _stop(conn, operation)
    elif request.type == memos.LOAN:
        kind = _loan(conn, operation, request)
    elif request.is_move and other.name in settings.contracts_managers:
        kind, exchange = _move(conn, house, operation, request, other, head)
    else:
        if request.is_move:
            request = memos.Request(memos.INVALID, why="only managers may ask for this")
        kind = _refund(conn, house, operation, request)
    state = "parked" if kind == "parked" else "handled"
    operations.move(
        conn,
        operation,
        state,
        kind="" if state == "parked" else kind,
        memo=storable(words or ""),
        words=exchange or request.why,
    )


# -- what can be asked for; each returns what the operation was -------------------------------------------


def _begin(conn: sa.Connection, house: House, operation: Operation, months: int) -> str:
    """A contract: all its rows at once, with the terms of now, from the time of its block."""
    terms, amount = house.settings.contract_terms, domain.whole(operation.units)
    for known in contracts.unlinked(conn, operation.account, amount, months):
        before = known.known_at is not None and operation.at <= known.known_at
        if before and abs(known.start_at - operation.at) <= SAME_CONTRACT:
            contracts.link(conn, known.id, operation.id)
            _tell(conn, operation, "stake_known", contract=known.key)
            return "known"
    made = contracts.add(
        conn, key=operation.key, operation_id=operation.id, source="memo", account=operation.account,
        name=operation.name, amount=amount, months=months, reward_bps=terms.reward_bps,
        penalty_bps=terms.penalty_bps, month_ms=terms.month_ms, start_at=operation.at, place=operation.place,
    )  # fmt: skip
    if made is None:  # it came with an older database, under the same key
        _tell(conn, operation, "stake_known", contract=operation.key)
        return "known"
    rows = domain.rows(amount, months, operation.at, terms, notice=house.settings.contracts_notices)
    contracts.add_dues(conn, made, rows, memos_of(made, rows))
    _tell(
        conn, operation, "stake_start", contract=made.key, months=months, amount_bts=domain.bts_text(amount),
        reward_bps=terms.reward_bps, penalty_bps=terms.penalty_bps,
    )  # fmt: skip
    return "contract"


def memos_of(contract: domain.Contract, rows: tuple[domain.Row, ...]) -> dict[tuple[str, int], str]:
    """The words that go with each row of a contract when it is paid."""
    found = {}
    for row in rows:
        if row.type == domain.AGREEMENT:
            words = domain.notice_memo(contract.months, contract.amount, contract.start_at, contract.called)
        else:
            words = domain.payment_memo(row.type, row.number, contract.months, contract.called)
        found[row.type, row.number] = words
    return found


def _stop(conn: sa.Connection, operation: Operation) -> str:
    """End the sender's contracts that began before this request, pay principal less penalty once, abort the rest.

    What fell due before the request stays owed, and a contract at its term is paid in full.
    """
    ended = contracts.open_principals(conn, operation.account, operation.place, operation.at)
    early, aborted = [], []
    for contract in ended:
        for row in contracts.dues_of(conn, contract.id):
            if row.state != "pending":
                continue
            if row.type in (domain.PRINCIPAL, domain.PENALTY):
                early.append(row)
            elif row.type == domain.REWARD and row.due_at > operation.at:
                aborted.append(row)
    if not ended:
        _tell(conn, operation, "stake_stop", warn="there was nothing to stop; the amount is kept")
        return "stop"
    now = operation.at
    words = f"ended by request {operation.key}"
    contracts.move(conn, [row.id for row in early], "pending", "premature", processed_at=now, words=words)
    contracts.move(conn, [row.id for row in aborted], "pending", "aborted", processed_at=now, words=words)
    units = domain.ended_early(early)
    if units > 0:
        contracts.add_due(
            conn, type_=domain.STOPPED, account=operation.account, name=operation.name, units=units,
            memo=domain.stop_memo([contract.called for contract in ended]), at=now, operation_id=operation.id,
        )  # fmt: skip
    _tell(
        conn, operation, "stake_stop", contracts=[contract.key for contract in ended],
        pays=decimal_text(units, BTS.decimals), aborted=len(aborted),
    )  # fmt: skip
    return "stop"


def _loan(conn: sa.Connection, operation: Operation, request: memos.Request) -> str:
    """Money that belongs to the house: from anybody, and from an exchange that we asked for it."""
    asked = moves.by_memo(conn, f"{memos.LOAN}#{request.reference}") if request.reference else None
    if asked is not None and asked.state != "arrived":
        arrived(conn, asked, operation)
        return "arrived"
    _tell(conn, operation, "loan")
    return "loan"


def arrived(conn: sa.Connection, move: moves.Move, operation: Operation) -> None:
    """Book that what was asked of an exchange is here, once, and that no other was."""
    if move.state == "arrived" or moves.came_with(conn, operation.id):
        return
    if moves.set_state(conn, move, "arrived", arrived_id=operation.id):
        _tell(conn, operation, "exchange_arrived", exchange=move.exchange, reference=move.memo, cause=move.cause)


def _move(
    conn: sa.Connection, house: House, operation: Operation, request: memos.Request, other: Named, head: int
) -> tuple[str, str]:
    """A manager moves money to or from an exchange: only lifetime members, and only while the request is fresh.

    Returns what it was, and the exchange account by its name, which its number need not mean for ever.
    """
    settings = house.settings
    names = settings.contracts_exchange_accounts
    reason = ""
    if not other.lifetime:
        reason = "the manager is not a lifetime member"
    elif head - operation.block >= settings.contracts_admin_age:
        reason = f"it is older than {settings.contracts_admin_age} blocks"
    elif request.account is None or request.account > len(names):
        reason = "there is no exchange account of this number in the settings"
    elif request.amount is None:
        reason = "it names no amount"
    if reason or request.account is None or request.amount is None:
        _tell(conn, operation, "admin_ignored", request=memos.shown(request), why=reason)
        return "ignored", reason
    exchange = names[request.account - 1]
    if request.type == memos.FROM_EXCHANGE:
        moves.plan(
            conn, exchange=exchange, cause="manager", units=request.amount * domain.WHOLE, memo=new_reference(),
            operation_id=operation.id, at=house.now(),
        )  # fmt: skip
    _tell(conn, operation, "admin", request=memos.shown(request), exchange=exchange)
    return ("to_exchange" if request.type == memos.TO_EXCHANGE else "from_exchange"), exchange


def new_reference() -> str:
    """A memo that nobody else can know before it is on the chain, so that its arrival proves itself."""
    return f"{memos.LOAN}#{token_hex(8)}"


def _refund(conn: sa.Connection, house: House, operation: Operation, request: memos.Request) -> str:
    """The money back less the fee; too small: kept and told."""
    terms = house.settings.contract_terms
    units = domain.refund(operation.units, terms)
    if not units:
        _tell(conn, operation, "kept", why=request.why, warn="too small for a refund; all of it is kept")
        return "kept"
    contracts.add_due(
        conn, type_=domain.REFUND, account=operation.account, name=operation.name, units=units,
        memo=domain.refund_memo(terms.fee, request.why), at=operation.at, operation_id=operation.id, words=request.why,
    )  # fmt: skip
    _tell(
        conn, operation, "refund", why=request.why, pays=decimal_text(units, BTS.decimals),
        fee=decimal_text(operation.units - units, BTS.decimals),
    )  # fmt: skip
    return "invalid"


def _park(conn: sa.Connection, operation: Operation, why: str) -> str:
    """To be looked at by the owner: nothing is owed for it, and nothing goes back by itself."""
    _tell(conn, operation, "alert", warn=f"a transfer waits for your word: {why}")
    return "parked"


def _may_be_a_withdrawal(conn: sa.Connection, operation: Operation) -> bool:
    """Whether an exchange was asked for about as much: there are some that lose the memo on the way, and some things
    that were given up come after all."""
    asked = moves.in_states(conn, *moves.OPEN)
    asked += [move for move in moves.in_states(conn, "failed") if operation.at - move.created_at < AFTER_ALL]
    return any(may_be(move, operation) for move in asked)


def may_be(move: moves.Move, operation: Operation) -> bool:
    """Whether a transfer can be what was asked for: that less a fee."""
    least = move.units - min(LARGEST_WITHDRAWAL_FEE, move.units // 10)
    return operation.asset_id == CORE_ASSET and least <= operation.units <= move.units


def _outgoing(conn: sa.Connection, transfer: Transfer) -> tuple[str, str]:
    """(state, kind) of a transfer that left the custodian: ours, from before this ledger, or not ours."""
    if transfer.tx_id and attempts.known(conn, [transfer.tx_id]):
        return "handled", "ours"
    baseline = operations.cursor(conn, operations.BASELINE)
    if baseline is not None and transfer.block <= baseline.block:
        return "handled", "before"
    return "unruled", "foreign"


def _tell(conn: sa.Connection, operation: Operation, what: str, **more: Any) -> None:
    """An event about an operation, with the fields that the old receipts had."""
    came_in = operation.direction == "in"
    msg = {
        "direction": "IN" if came_in else "OUT",
        "from": operation.name if came_in else "custodian",
        "to": "custodian" if came_in else operation.name,
        "amount": decimal_text(operation.units, BTS.decimals) if operation.asset_id == CORE_ASSET else
        f"{operation.units} units of {operation.asset_id}",
        "block_num": operation.block,
        "trx_idx": operation.trx,
        "ops_idx": operation.op,
        **{key: value for key, value in more.items() if value is not None},
    }  # fmt: skip
    events.add(conn, what, msg, nonce=domain.milliseconds(operation.at), name=operation.name)
