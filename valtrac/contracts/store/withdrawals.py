"""Money asked back from an exchange: written down before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.model.states import WithdrawalState
from valtrac.contracts.store import tables as t
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import genesis_of, insert

M = t.moves.c
OPEN = (WithdrawalState.PLANNED, WithdrawalState.ASKED)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A withdrawal from an exchange. units: satoshi, the exchange's fee in them, unless a manager asked, who gets what
    he named; memo: ours alone, by which it is known again."""

    id: int
    exchange: str
    operation_id: int | None
    cause: str
    units: int
    memo: str
    state: WithdrawalState
    external_id: str
    asked_at: datetime | None
    arrived_id: int | None
    words: str
    created_at: datetime


def plan(
    conn: sa.Connection,
    *,
    exchange: str,
    cause: str,
    units: int,
    memo: str,
    at: datetime,
    operation_id: int | None = None,
) -> Withdrawal | None:
    """Write a withdrawal down before it is asked for; None where one is on its way for the same reason."""
    row = {
        "genesis": genesis_of(conn),
        "exchange": exchange,
        "operation_id": operation_id,
        "cause": cause,
        "units": units,
        "memo": memo,
        "state": WithdrawalState.PLANNED,
        "created_at": at,
    }
    added = conn.execute(insert(conn, t.moves).values(row).on_conflict_do_nothing().returning(M.id)).scalar()
    return None if added is None else listed(conn, M.id == int(added))[0]


_WITHDRAWALS = sa.select(*(M[name] for name in Withdrawal.__dataclass_fields__)).order_by(M.id)


def listed(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Withdrawal]:
    """Withdrawals that meet some conditions, or all, the oldest first."""
    rows = conn.execute(_WITHDRAWALS.where(*conditions))
    return [Withdrawal(**{**row._mapping, "state": WithdrawalState(row.state)}) for row in rows]


def in_states(conn: sa.Connection, *states: WithdrawalState) -> list[Withdrawal]:
    """The withdrawals in some states."""
    return listed(conn, M.state.in_(states))


def get(conn: sa.Connection, number: int) -> Withdrawal:
    """One by number. Raises BadInput where there is none."""
    rows = listed(conn, M.id == number)
    if not rows:
        raise BadInput(f"there is no withdrawal #{number}", fix="look at the list of withdrawals")
    return rows[0]


def by_memo(conn: sa.Connection, memo: str) -> Withdrawal | None:
    """The withdrawal that a memo names."""
    rows = listed(conn, M.memo == memo)
    return rows[0] if rows else None


def came_with(conn: sa.Connection, operation_id: int) -> bool:
    """Whether a transfer was what a withdrawal brought."""
    return bool(listed(conn, M.arrived_id == operation_id))


def note_asked(conn: sa.Connection, withdrawal: Withdrawal, at: datetime) -> None:
    """Note that it is about to be asked for: from here on it may have been."""
    done = conn.execute(
        t.moves.update()
        .where(M.id == withdrawal.id, M.state == WithdrawalState.PLANNED, M.asked_at.is_(None))
        .values(asked_at=at)
    )
    if done.rowcount != 1:
        raise Refused(
            f"withdrawal {withdrawal.memo} was asked for meanwhile", fix="it is looked up before anything else"
        )


def set_state(conn: sa.Connection, withdrawal: Withdrawal, state: WithdrawalState, **columns: Any) -> bool:
    """Compare-and-set of a withdrawal from the state it was read in; False: someone else was faster."""
    done = conn.execute(
        t.moves.update().where(M.id == withdrawal.id, M.state == withdrawal.state).values(state=state, **columns)
    )
    return done.rowcount == 1
