"""What a transfer to or from the custodian asks for, and what follows from it, in one transaction with its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.contracts.arrivals import arrived, known_reference, may_be_a_withdrawal, new_reference
from valtrac.contracts.audit_trail import note
from valtrac.contracts.custodian import CORE_ASSET, Custodian
from valtrac.contracts.first_states import first_state
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model import memos
from valtrac.contracts.model.requests import UNREADABLE, Action, Decision, Sender, decide, end_early, ignored_because
from valtrac.contracts.model.states import DueState, TransferState, WithdrawalState
from valtrac.contracts.store import contracts, transfers, withdrawals
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.chain import Named, Transfer
from valtrac.core.money import BTS, decimal_text
from valtrac.core.text import storable
from valtrac.ports import NoKey, Unreadable

STOPPED_LATER = "its sender asked to stop afterwards"
SAME_CONTRACT = timedelta(days=1)  # a list names the start of a contract to the day at best


@dataclass(frozen=True, slots=True)
class ReadTransfer:
    """A transfer with what only the chain could tell of it: who the other side is, and what the memo says.

    words: None where there is none, or where it is not a memo; unread: why it could not be read yet, else "";
    doubt: why it may never have been sent, else "".
    """

    transfer: Transfer
    at: datetime
    other: Named
    words: str | None
    unread: str = ""
    broken: bool = False
    doubt: str = ""


def read_transfer(custodian: Custodian, transfer: Transfer, at: datetime, who: Mapping[str, Named]) -> ReadTransfer:
    """Read a transfer's memo. Nothing is decided here, and nothing is charged for a memo that we cannot read."""
    came_in = transfer.receiver == custodian.account.id
    account = transfer.sender if came_in else transfer.receiver
    other = who.get(account, Named(account, account, False))
    if not came_in or transfer.memo is None or transfer.asset_id != CORE_ASSET:
        return ReadTransfer(transfer, at, other, None)
    try:
        return ReadTransfer(transfer, at, other, custodian.chain.read_memo(transfer.memo))
    except NoKey as error:
        return ReadTransfer(transfer, at, other, None, unread=str(error) or "the key for its memo is missing")
    except Unreadable:
        return ReadTransfer(transfer, at, other, None, broken=True)


def record(conn: sa.Connection, custodian: Custodian, read: ReadTransfer, head: int) -> RecordedTransfer | None:
    """Write a transfer down and do what it asks for; None where that was done before.

    head: the newest irreversible block, against which the age of a manager's request is told.
    """
    state, kind = first_state(conn, custodian, read.transfer)
    recorded = transfers.add(
        conn,
        read.transfer,
        at=read.at,
        own_id=custodian.account.id,
        name=read.other.name,
        state=state,
        kind=kind,
        words=read.unread,
    )
    if recorded is None and state == TransferState.WAITING:  # it was skipped once, and is not any more
        recorded = transfers.take_up(conn, read.transfer.block, read.transfer.trx, read.transfer.op)
        if recorded is not None and stopped_later(conn, recorded):
            _tell_owner(conn, recorded, STOPPED_LATER)
            transfers.move(conn, recorded, TransferState.PARKED, words=STOPPED_LATER)
            return transfers.get(conn, recorded.id)
    if recorded is None:
        return None
    note(conn, recorded, "transfer", kind=kind or None)
    if state == TransferState.WAITING and read.doubt:
        _tell_owner(conn, recorded, read.doubt)
        transfers.move(conn, recorded, TransferState.PARKED, words=read.doubt)
        return transfers.get(conn, recorded.id)
    if state == TransferState.WAITING and not read.unread and not _waits_for_another(conn, recorded):
        carry_out(conn, custodian, recorded, read.words, read.other, head, broken=read.broken)
    return transfers.get(conn, recorded.id)


def stopped_later(conn: sa.Connection, transfer: RecordedTransfer) -> bool:
    """Whether its sender asked to stop after it, and was answered."""
    stops = transfers.listed(conn, TransferState.HANDLED, kind="stop", account=transfer.account)
    return any(stop.place > transfer.place for stop in stops)


def _waits_for_another(conn: sa.Connection, transfer: RecordedTransfer) -> bool:
    """Whether an older memo of the same account is not read yet: what it asked for comes first."""
    waiting = transfers.listed(conn, TransferState.WAITING, account=transfer.account)
    return any(older.place < transfer.place for older in waiting)


def carry_out(
    conn: sa.Connection,
    custodian: Custodian,
    transfer: RecordedTransfer,
    words: str | None,
    other: Named,
    head: int,
    *,
    broken: bool = False,
    by_owner: bool = False,
) -> None:
    """Do what an incoming transfer asks for, once: contract, stop, loan, an exchange, or the money back.

    by_owner: he says what it asks for, so that it is not laid before him again.
    """
    settings, terms = custodian.settings, custodian.settings.contract_terms
    request = UNREADABLE if broken else memos.parse(words, frozenset(terms.months))
    sender = Sender(other.name in settings.contracts_managers, other.name in settings.contracts_never_refund, by_owner)
    decision = decide(
        request,
        sender,
        transfer.units,
        terms,
        may_be_withdrawal=may_be_a_withdrawal(conn, transfer),
        known_reference=known_reference(conn, request.reference, other.name),
    )
    parked = decision.action == Action.PARK
    kind, said = _done(conn, custodian, transfer, decision, other, head)
    transfers.move(
        conn,
        transfer,
        TransferState.PARKED if parked else TransferState.HANDLED,
        kind="" if parked else kind,
        memo=storable(words or ""),
        words=said or decision.request.why,
    )


def _done(
    conn: sa.Connection,
    custodian: Custodian,
    transfer: RecordedTransfer,
    decision: Decision,
    other: Named,
    head: int,
) -> tuple[str, str]:
    """(what the transfer was, what is to be kept about it), after it was done."""
    request = decision.request
    match decision.action:
        case Action.PARK:
            _tell_owner(conn, transfer, decision.why)
            return "", ""
        case Action.BEGIN:
            return _begin(conn, custodian, transfer, custodian.settings.contract_terms.months[request.type]), ""
        case Action.STOP:
            return _stop(conn, transfer), ""
        case Action.LOAN:
            return _loan(conn, transfer, request), ""
        case Action.EXCHANGE:
            return _about_exchange(conn, custodian, transfer, request, other, head)
        case Action.REFUND:
            return _refund(conn, custodian, transfer, request), ""


# -- what can be asked for; each returns what the transfer was ----------------------------------------------------


def _begin(conn: sa.Connection, custodian: Custodian, transfer: RecordedTransfer, months: int) -> str:
    """A contract: all its rows at once, with the terms of now, from the time of its block."""
    terms, amount = custodian.settings.contract_terms, domain.whole(transfer.units)
    for known in contracts.unlinked(conn, transfer.account, amount, months):
        before = known.known_at is not None and transfer.at <= known.known_at
        if before and abs(known.start_at - transfer.at) <= SAME_CONTRACT:
            contracts.link(conn, known.id, transfer.id)
            note(conn, transfer, "stake_known", contract=known.key)
            return "known"
    made = contracts.add(
        conn,
        key=transfer.key,
        operation_id=transfer.id,
        source=domain.FROM_MEMO,
        account=transfer.account,
        name=transfer.name,
        amount=amount,
        months=months,
        reward_bps=terms.reward_bps,
        penalty_bps=terms.penalty_bps,
        month_ms=terms.month_ms,
        start_at=transfer.at,
        place=transfer.place,
    )
    if made is None:  # it came with an older database, under the same key
        note(conn, transfer, "stake_known", contract=transfer.key)
        return "known"
    rows = domain.rows(amount, months, transfer.at, terms, notice=custodian.settings.contracts_notices)
    contracts.add_dues(conn, made, rows, domain.memos_of(made, rows))
    note(
        conn,
        transfer,
        "stake_start",
        contract=made.key,
        months=months,
        amount_bts=domain.bts_text(amount),
        reward_bps=terms.reward_bps,
        penalty_bps=terms.penalty_bps,
    )
    return "contract"


def _stop(conn: sa.Connection, transfer: RecordedTransfer) -> str:
    """End the sender's contracts that began before this request: principal less penalty once, instead of the rest."""
    held = [
        (contract, contracts.dues_of(conn, contract.id)) for contract in contracts.of_account(conn, transfer.account)
    ]
    ending = end_early(held, transfer.place, transfer.at)
    if not ending.contracts:
        note(conn, transfer, "stake_stop", warn="there was nothing to stop; the amount is kept")
        return "stop"
    for rows, state in ((ending.early, DueState.PREMATURE), (ending.aborted, DueState.ABORTED)):
        words = f"{domain.ENDED_BY}{transfer.key}"
        ids = [row.id for row in rows]
        contracts.move(conn, ids, DueState.PENDING, state, processed_at=transfer.at, words=words)
    if ending.units > 0:
        contracts.add_due(
            conn,
            type_=domain.STOPPED,
            account=transfer.account,
            name=transfer.name,
            units=ending.units,
            memo=domain.stop_memo([contract.called for contract in ending.contracts]),
            at=transfer.at,
            operation_id=transfer.id,
        )
    note(
        conn,
        transfer,
        "stake_stop",
        contracts=[contract.key for contract in ending.contracts],
        pays=decimal_text(ending.units, BTS.decimals),
        aborted=len(ending.aborted),
    )
    return "stop"


def _loan(conn: sa.Connection, transfer: RecordedTransfer, request: memos.Request) -> str:
    """Money that belongs to the custodian: from somebody who may lend it, or from an exchange that we asked for it."""
    asked = withdrawals.by_memo(conn, f"{memos.LOAN}#{request.reference}") if request.reference else None
    if asked is not None and asked.state != WithdrawalState.ARRIVED:
        arrived(conn, asked, transfer)
        return "arrived"
    note(conn, transfer, "loan")
    return "loan"


def _about_exchange(
    conn: sa.Connection,
    custodian: Custodian,
    transfer: RecordedTransfer,
    request: memos.Request,
    other: Named,
    head: int,
) -> tuple[str, str]:
    """A manager sends money to an exchange or fetches it from there.

    Returns what it was, and the exchange account by its name, which its number need not mean for ever.
    """
    names = custodian.settings.contracts_exchange_accounts
    reason = ignored_because(
        request,
        lifetime_member=other.lifetime,
        age_blocks=head - transfer.block,
        oldest_blocks=custodian.settings.contracts_admin_age,
        accounts=len(names),
    )
    if reason or request.account is None or request.amount is None:
        note(conn, transfer, "admin_ignored", request=memos.shown(request), why=reason)
        return "ignored", reason
    exchange = names[request.account - 1]
    if request.type == memos.FROM_EXCHANGE:
        withdrawals.plan(
            conn,
            exchange=exchange,
            cause="manager",
            units=request.amount * domain.WHOLE,
            memo=new_reference(),
            operation_id=transfer.id,
            at=custodian.now(),
        )
    note(conn, transfer, "admin", request=memos.shown(request), exchange=exchange)
    return ("to_exchange" if request.type == memos.TO_EXCHANGE else "from_exchange"), exchange


def _refund(conn: sa.Connection, custodian: Custodian, transfer: RecordedTransfer, request: memos.Request) -> str:
    """The money back less the fee; too small: kept and told."""
    terms = custodian.settings.contract_terms
    units = domain.refund(transfer.units, terms)
    if not units:
        note(conn, transfer, "kept", why=request.why, warn="too small for a refund; all of it is kept")
        return "kept"
    contracts.add_due(
        conn,
        type_=domain.REFUND,
        account=transfer.account,
        name=transfer.name,
        units=units,
        memo=domain.refund_memo(terms.fee, request.why),
        at=transfer.at,
        operation_id=transfer.id,
        words=request.why,
    )
    pays, fee = (decimal_text(part, BTS.decimals) for part in (units, transfer.units - units))
    note(conn, transfer, "refund", why=request.why, pays=pays, fee=fee)
    return "invalid"


def _tell_owner(conn: sa.Connection, transfer: RecordedTransfer, why: str) -> None:
    """To be looked at by the owner: nothing is owed for it, and nothing goes back by itself."""
    note(conn, transfer, "alert", warn=f"a transfer waits for your word: {why}")
