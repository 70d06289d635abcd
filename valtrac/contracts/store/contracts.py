"""Contracts and what is due because of them, or because of a request."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.model.contracts import OWED, PENALTY, STOPPED, Contract, Due, Row
from valtrac.contracts.model.states import DueState
from valtrac.contracts.store import tables as t
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import genesis_of, insert

K, D, P = t.contracts.c, t.dues.c, t.operations.c
CONTRACT_FIELDS = tuple(Contract.__dataclass_fields__)
DUE_FIELDS = tuple(Due.__dataclass_fields__)
_CONTRACTS = sa.select(*(K[name] for name in CONTRACT_FIELDS)).order_by(K.start_at, K.id)
_DUES = sa.select(*(D[name] for name in DUE_FIELDS)).order_by(D.due_at, D.id)
_DUE = _DUES.where(D.id == sa.bindparam("number"))
_OBLIGATIONS = _DUES.where(D.type.in_(OWED))
_PAYABLE = _DUES.where(D.state == DueState.PENDING, D.due_at <= sa.bindparam("now"), D.type != PENALTY)


def add(
    conn: sa.Connection,
    *,
    key: str,
    operation_id: int | None,
    source: str,
    account: str,
    name: str,
    amount: int,
    months: int,
    reward_bps: int,
    penalty_bps: int,
    month_ms: int,
    start_at: datetime,
    place: tuple[int, int, int],
    known_at: datetime | None = None,
) -> Contract | None:
    """Store a contract with the terms of its day; None where one of this key, or for this request, is there."""
    block, trx, op = place
    row = {
        "genesis": genesis_of(conn),
        "key": key,
        "operation_id": operation_id,
        "source": source,
        "account": account,
        "name": name[:80],
        "amount": amount,
        "months": months,
        "reward_bps": reward_bps,
        "penalty_bps": penalty_bps,
        "month_ms": month_ms,
        "start_at": start_at,
        "block": block,
        "trx": trx,
        "op": op,
        "known_at": known_at,
        "created_at": datetime.now(UTC),
    }
    added = conn.execute(insert(conn, t.contracts).values(row).on_conflict_do_nothing().returning(K.id)).scalar()
    return None if added is None else get(conn, int(added))


def get(conn: sa.Connection, number: int) -> Contract:
    """A contract by number. Raises BadInput where there is none."""
    rows = contracts(conn, K.id == number)
    if not rows:
        raise BadInput(f"there is no contract #{number}", fix="look at the list of contracts")
    return rows[0]


def by_number(conn: sa.Connection, numbers: Collection[int]) -> dict[int, Contract]:
    """number -> contract, of those that there are."""
    return {contract.id: contract for contract in contracts(conn, K.id.in_(numbers))} if numbers else {}


def operation_of(conn: sa.Connection, contract_id: int) -> int | None:
    """The transfer that began a contract; None where that is not known: it came from a list."""
    operation_id = conn.execute(sa.select(K.operation_id).where(K.id == contract_id)).scalar()
    return None if operation_id is None else int(operation_id)


def by_key(conn: sa.Connection, key: str) -> Contract | None:
    """The contract of a key: block:transaction:operation, or that of an import."""
    rows = contracts(conn, K.key == key)
    return rows[0] if rows else None


def of_account(conn: sa.Connection, account: str) -> list[Contract]:
    """The contracts of a client, the oldest first."""
    return contracts(conn, K.account == account)


def contracts(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Contract]:
    """Contracts that meet some conditions, or all, the oldest first."""
    rows = conn.execute(_CONTRACTS.where(*conditions) if conditions else _CONTRACTS)
    return [Contract(**row._mapping) for row in rows]


def unlinked(conn: sa.Connection, account: str, amount: int, months: int) -> list[Contract]:
    """The contracts of a client that came from a list and were not found on the chain yet."""
    rows = contracts(conn, K.account == account, K.operation_id.is_(None), K.block == 0, K.months == months)
    return [contract for contract in rows if contract.amount == amount]


def link(conn: sa.Connection, contract_id: int, operation_id: int) -> None:
    """Tie an imported contract to the transfer on the chain that began it, once."""
    done = conn.execute(
        t.contracts.update().where(K.id == contract_id, K.operation_id.is_(None)).values(operation_id=operation_id)
    )
    if done.rowcount != 1:
        raise Refused(f"contract #{contract_id} is tied to a transfer already", fix="look again")


# -- what is due --------------------------------------------------------------------------------------


def add_dues(conn: sa.Connection, contract: Contract, rows: Iterable[Row], memos: dict[tuple[str, int], str]) -> None:
    """Store the rows of a contract in one go."""
    genesis, now = genesis_of(conn), datetime.now(UTC)
    conn.execute(
        t.dues.insert(),
        [
            {
                "genesis": genesis,
                "contract_id": contract.id,
                "operation_id": None,
                "parent_id": None,
                "type": row.type,
                "number": row.number,
                "account": contract.account,
                "name": contract.name,
                "units": row.units,
                "memo": memos.get((row.type, row.number), ""),
                "start_at": contract.start_at,
                "due_at": row.due_at,
                "state": row.state,
                "created_at": now,
                "processed_at": now
                if row.state in (DueState.HANDED_OVER, DueState.CONFIRMED, DueState.ABORTED)
                else None,
            }
            for row in rows
        ],
    )


def add_due(
    conn: sa.Connection,
    *,
    type_: str,
    account: str,
    name: str,
    units: int,
    memo: str,
    at: datetime,
    operation_id: int | None = None,
    parent_id: int | None = None,
    words: str = "",
) -> int | None:
    """Store a payment that follows from a request or from another due; None where it is there already."""
    row = {
        "genesis": genesis_of(conn),
        "contract_id": None,
        "operation_id": operation_id,
        "parent_id": parent_id,
        "type": type_,
        "number": 0,
        "account": account,
        "name": name[:80],
        "units": units,
        "memo": memo,
        "start_at": at,
        "due_at": at,
        "state": DueState.PENDING,
        "words": words[:500],
        "created_at": datetime.now(UTC),
    }
    added = conn.execute(insert(conn, t.dues).values(row).on_conflict_do_nothing().returning(D.id)).scalar()
    return None if added is None else int(added)


def due(conn: sa.Connection, number: int) -> Due:
    """One due by number. Raises BadInput where there is none."""
    rows = _dues(conn, _DUE, number=number)
    if not rows:
        raise BadInput(f"there is no payment no. {number}", fix="look at the list of payments")
    return rows[0]


def dues(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Due]:
    """Dues that meet some conditions, in the order in which they fall due."""
    return _dues(conn, _DUES.where(*conditions))


def _dues(conn: sa.Connection, chosen: sa.Select[Any], **values: object) -> list[Due]:
    rows = conn.execute(chosen, values)
    return [Due(**{**row._mapping, "state": DueState(row.state)}) for row in rows]


def dues_of(conn: sa.Connection, contract_id: int) -> list[Due]:
    """The rows of a contract as they are now."""
    return dues(conn, D.contract_id == contract_id)


def in_states(conn: sa.Connection, *states: DueState) -> list[Due]:
    """All dues in some states."""
    return _dues(conn, _dues_in(states))


@functools.cache
def _dues_in(states: tuple[DueState, ...]) -> sa.Select[Any]:
    return _DUES.where(D.state.in_(states))


def follows(conn: sa.Connection, operation_id: int, type_: str) -> bool:
    """Whether a payment of a type was made of a request."""
    chosen = sa.select(D.id).where(D.operation_id == operation_id, D.type == type_).limit(1)
    return conn.execute(chosen).first() is not None


def stops(conn: sa.Connection) -> dict[str, Due]:
    """The key of each request to stop -> what is paid for it: one payment for all contracts that it ended."""
    paid = {due.operation_id: due for due in dues(conn, D.type == STOPPED)}
    asked = sa.select(P.id, P.block, P.trx, P.op).where(P.id.in_(sa.select(D.operation_id).where(D.type == STOPPED)))
    return {f"{row.block}:{row.trx}:{row.op}": paid[row.id] for row in conn.execute(asked)}


def payable(conn: sa.Connection, now: datetime) -> list[Due]:
    """What is pending and due, penalties apart: the oldest first."""
    return _dues(conn, _PAYABLE, now=now)


def obligations(conn: sa.Connection) -> list[Due]:
    """Everything ever owed to clients: principals, rewards and ended contracts."""
    return _dues(conn, _OBLIGATIONS)


def ids(conn: sa.Connection, state: DueState) -> set[int]:
    """The numbers of the dues in a state."""
    return set(conn.execute(sa.select(D.id).where(D.state == state)).scalars())


def of_ids(conn: sa.Connection, numbers: Iterable[int]) -> list[Due]:
    """Dues by their numbers, in the order in which they fall due."""
    wanted, found = sorted(numbers), list[Due]()
    for start in range(0, len(wanted), 500):
        found += dues(conn, D.id.in_(wanted[start : start + 500]))
    return sorted(found, key=lambda due: (due.due_at, due.id))


def count(conn: sa.Connection, state: DueState) -> int:
    """How many dues are in a state."""
    return int(conn.execute(sa.select(sa.func.count()).where(D.state == state)).scalar_one())


def move(conn: sa.Connection, ids: Sequence[int], from_state: DueState, to_state: DueState, **columns: Any) -> None:
    """Compare-and-set of dues, all or none. Raises Refused when one is elsewhere."""
    if not ids:
        return
    moved = 0
    for start in range(0, len(ids), 500):
        done = conn.execute(
            t.dues.update()
            .where(D.id.in_(ids[start : start + 500]), D.state == from_state)
            .values(state=to_state, **columns)
        )
        moved += done.rowcount
    if moved != len(ids):
        raise Refused(
            "some of these payments have moved on",
            why="another window or process took them",
            fix="look at the payments again",
        )


def reserve(conn: sa.Connection, due_id: int, from_state: DueState, line_id: int) -> None:
    """Give a due to a line of a batch. Raises Refused when it is not in that state any more."""
    move(conn, [due_id], from_state, DueState.PROCESSING, line_id=line_id)


def end_penalties(conn: sa.Connection, contract_ids: Sequence[int], now: datetime) -> None:
    """At the end of a contract its penalty is no more."""
    for start in range(0, len(contract_ids), 500):
        conn.execute(
            t.dues.update()
            .where(D.contract_id.in_(contract_ids[start : start + 500]), D.type == PENALTY, D.state == DueState.PENDING)
            .values(state=DueState.ABORTED, processed_at=now)
        )


def drop_note(conn: sa.Connection, due_id: int) -> None:
    """Leave out the note that a payment could not be made, where it was not sent yet: it is made by now."""
    conn.execute(
        t.dues.update()
        .where(D.parent_id == due_id, D.state == DueState.PENDING)
        .values(state=DueState.ABORTED, processed_at=datetime.now(UTC), words="the payment was made meanwhile")
    )


def of_lines(conn: sa.Connection, line_ids: Sequence[int]) -> list[Due]:
    """The dues that these lines of batches carry; empty for lines of other producers."""
    paid_dues: list[Due] = []
    for start in range(0, len(line_ids), 500):
        paid_dues += dues(conn, D.line_id.in_(line_ids[start : start + 500]))
    return paid_dues


def follow(
    conn: sa.Connection,
    line_ids: Sequence[int],
    state: DueState,
    *,
    block: int | None = None,
    tx_id: str = "",
    at: datetime | None = None,
) -> list[Due]:
    """Let dues go where the lines went that carry them: sent -> paid, landed -> confirmed, dead -> processing.

    Returns those that moved, as they are then. Nothing happens to lines that carry no due.
    """
    came = {"paid": ("processing",), "confirmed": ("processing", "paid"), "processing": ("paid",)}[state]
    due_ids = [due.id for due in of_lines(conn, line_ids) if due.state in came]
    if not due_ids:
        return []
    values: dict[str, Any] = {"state": state}
    if state == DueState.CONFIRMED:
        values |= {"block": block, "tx_id": tx_id, "processed_at": at}
    for start in range(0, len(due_ids), 500):
        conn.execute(t.dues.update().where(D.id.in_(due_ids[start : start + 500])).values(values))
    for due_id in due_ids if state == DueState.CONFIRMED else ():
        drop_note(conn, due_id)
    return [due for start in range(0, len(due_ids), 500) for due in dues(conn, D.id.in_(due_ids[start : start + 500]))]
