"""Contracts, clients and payments as they stand now, and where a payment came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.contracts import Contract, Due, Liabilities
from valtrac.contracts.model.states import DueState
from valtrac.contracts.model.statuses import status_of
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.errors import BadInput
from valtrac.core.money import BTS, decimal_text, parse_units
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.store import attempts, batches, ledger


@dataclass(frozen=True, slots=True)
class Stop:
    """How a contract was ended before its term. due: the payment for it, which may be for several contracts; units: the
    part of it that is this contract's, its principal less its penalty, in satoshi."""

    due: Due
    units: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract and where it stands: open, ended (early), completed. paid, open: satoshi to its client, what a stop
    pays included; stop: how it was ended before its term."""

    contract: Contract
    state: str
    paid: int
    open: int
    next_due: Due | None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody with contracts. Amounts in satoshi."""

    account: str
    name: str
    contracts: int
    running: int
    principal: int
    owed: int
    next_at: datetime | None


def listed(engine: sa.Engine, *, client: str | None = None) -> list[Standing]:
    """Contracts with their standing, the oldest first; of one client by name or id, or all."""
    with reading(engine) as conn:
        stored = contracts.contracts(conn)
        rows, stops = contracts.dues(conn), contracts.stops(conn)
    by_contract: dict[int, list[Due]] = {}
    for row in rows:
        if row.contract_id is not None:
            by_contract.setdefault(row.contract_id, []).append(row)
    wanted = [contract for contract in stored if client is None or client.strip() in (contract.name, contract.account)]
    if client is not None and not wanted:
        raise BadInput(f"no client with a contract is called {plain(client, 60)}", fix="see: run.py contracts clients")
    return [_standing(contract, by_contract.get(contract.id, []), stops) for contract in wanted]


def shown(engine: sa.Engine, number: int) -> tuple[Standing, list[Due], RecordedTransfer | None]:
    """A contract, its rows in order, and the transfer that began it. Raises BadInput."""
    with reading(engine) as conn:
        contract = contracts.get(conn, number)
        rows, stops = contracts.dues_of(conn, number), contracts.stops(conn)
        began = [
            transfer
            for transfer in transfers.listed(conn, account=contract.account)
            if transfer.place == (contract.block, contract.trx, contract.op)
        ]
    return _standing(contract, rows, stops), rows, began[0] if began else None


def clients(engine: sa.Engine) -> list[Client]:
    """Everybody with contracts, by name."""
    by_account: dict[str, list[Standing]] = {}
    for standing in listed(engine):
        by_account.setdefault(standing.contract.account, []).append(standing)
    clients = []
    for account, mine in by_account.items():
        dates = [standing.next_due.due_at for standing in mine if standing.next_due is not None]
        clients.append(
            Client(
                account,
                mine[0].contract.name,
                len(mine),
                sum(standing.state == "open" for standing in mine),
                sum(standing.contract.amount for standing in mine if standing.state == "open"),
                sum(standing.open for standing in mine),
                min(dates, default=None),
            )
        )
    return sorted(clients, key=lambda client: client.name)


def due(engine: sa.Engine, *states: DueState, now: datetime | None = None) -> list[Due]:
    """What is to be paid in some states (pending, processing, paid, delinquent), the first due first; now: only what
    is due by then."""
    with reading(engine) as conn:
        dues = contracts.in_states(conn, *(states or domain.OPEN_STATES))
    return [
        due
        for due in dues
        if due.type != domain.PENALTY and not due.was_paid_before and (now is None or due.due_at <= now)
    ]


def liabilities(engine: sa.Engine, now: datetime | None = None) -> Liabilities:
    """What is owed as of now."""
    with reading(engine) as conn:
        return domain.liabilities(contracts.obligations(conn), now or datetime.now(UTC))


def everywhere(engine: sa.Engine, wallet: int) -> int | None:
    """What all wallets hold together, by the last balances in the trail; None where one of them was not known."""
    with reading(engine) as conn:
        last = audit_events.last(conn, "balances")
    told = {} if last is None else {key: value for key, value in last.msg["balances"].items() if key != "0"}
    if any(value is None for value in told.values()):
        return None
    return wallet + sum(parse_units(value, field="balance", decimals=BTS.decimals) for value in told.values())


def explain(engine: sa.Engine, number: int) -> dict[str, Any]:
    """Where a payment came from and what became of it: request, contract, terms, batch, transactions, receipt."""
    with reading(engine) as conn:
        due = contracts.due(conn, number)
        contract = contracts.get(conn, due.contract_id) if due.contract_id else None
        cause = transfers.get(conn, due.operation_id) if due.operation_id else None
        line = batches.line(conn, due.line_id) if due.line_id else None
        tries = attempts.of_line(conn, due.line_id) if due.line_id else []
        receipt = ledger.receipt_of(conn, due.line_id) if due.line_id else None
    return {
        "no": due.id,
        "type": due.type,
        "number": due.number,
        "to": due.name,
        "account": due.account,
        "amount": decimal_text(due.units, BTS.decimals),
        "state": status_of(due),
        "due_at": due.due_at.isoformat(),
        "memo": due.memo,
        "words": due.words,
        "tx": due.tx_id,
        "block": due.block,
        "contract": None if contract is None else _contract_values(contract),
        "request": None if cause is None else _request_values(cause),
        "batch": None if line is None else line.batch_id,
        "transactions": [
            {"tx": attempt.tx_id, "state": attempt.state, "block": attempt.block, "error": attempt.error}
            for attempt in tries
        ],
        "receipt": receipt,
    }


def _contract_values(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "key": contract.key,
        "source": contract.source,
        "months": contract.months,
        "amount": decimal_text(contract.amount, BTS.decimals),
        "reward_bps": contract.reward_bps,
        "penalty_bps": contract.penalty_bps,
        "start_at": contract.start_at.isoformat(),
    }


def _request_values(cause: RecordedTransfer) -> dict[str, Any]:
    return {
        "key": cause.key,
        "kind": cause.kind,
        "memo": cause.memo,
        "tx": cause.tx_id,
        "at": cause.at.isoformat(),
        "amount": decimal_text(cause.units, BTS.decimals),
    }


def _standing(contract: Contract, rows: Sequence[Due], stops: Mapping[str, Due]) -> Standing:
    owed = [row for row in rows if row.type in domain.OWED]
    pending = [row for row in owed if row.is_open]
    paid = sum(row.units for row in owed if row.state == DueState.CONFIRMED or row.was_paid_before)
    still = sum(row.units for row in pending)
    early = [row for row in rows if row.state == DueState.PREMATURE]
    ended = any(row.type == domain.PRINCIPAL for row in early)
    due = next((stops[row.ended_by] for row in early if row.ended_by in stops), None)
    stop = None if due is None else Stop(due, domain.ended_early(early))
    if stop is not None:
        paid += stop.units if stop.due.state == DueState.CONFIRMED else 0
        still += stop.units if stop.due.is_open else 0
        pending = [stop.due, *pending] if stop.due.is_open else pending
    upcoming = (DueState.PENDING, DueState.PROCESSING, DueState.DELINQUENT)
    return Standing(
        contract,
        "ended" if ended else "open" if pending else "completed",
        paid,
        still,
        next((row for row in pending if row.state in upcoming), None),
        stop,
    )
