"""Money asked back from an exchange: written down before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.errors import BadInput, Refused
from valtrac.store import contract_tables as t
from valtrac.store.engine import genesis_of, insert

M = t.moves.c
OPEN = ("planned", "asked")


@dataclass(frozen=True, slots=True)
class Move:
    """A withdrawal from an exchange. units: satoshi, gross; memo: ours alone, by which it is known again."""

    id: int
    exchange: str
    operation_id: int | None
    cause: str
    units: int
    memo: str
    state: str
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
) -> Move | None:
    """Write a withdrawal down before it is asked for; None where one is on its way for the same reason."""
    row = {
        "genesis": genesis_of(conn), "exchange": exchange, "operation_id": operation_id, "cause": cause,
        "units": units, "memo": memo, "state": "planned", "created_at": at,
    }  # fmt: skip
    added = conn.execute(insert(conn, t.moves).values(row).on_conflict_do_nothing().returning(M.id)).scalar()
    return None if added is None else listed(conn, M.id == int(added))[0]


def listed(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Move]:
    """Moves that meet some conditions, or all, the oldest first."""
    names = tuple(Move.__dataclass_fields__)
    rows = conn.execute(sa.select(*(M[name] for name in names)).where(*conditions).order_by(M.id))
    return [Move(**row._mapping) for row in rows]


def in_states(conn: sa.Connection, *states: str) -> list[Move]:
    """The moves in some states."""
    return listed(conn, M.state.in_(states))


def get(conn: sa.Connection, number: int) -> Move:
    """One by number. Raises BadInput where there is none."""
    found = listed(conn, M.id == number)
    if not found:
        raise BadInput(f"there is no withdrawal #{number}", "", "see: run.py contracts moves")
    return found[0]


def by_memo(conn: sa.Connection, memo: str) -> Move | None:
    """The move that a memo names."""
    found = listed(conn, M.memo == memo)
    return found[0] if found else None


def came_with(conn: sa.Connection, operation_id: int) -> bool:
    """Whether a transfer was what a withdrawal brought."""
    return bool(listed(conn, M.arrived_id == operation_id))


def note_asked(conn: sa.Connection, move: Move, at: datetime) -> None:
    """Note that it is about to be asked for: from here on it may have been."""
    done = conn.execute(
        t.moves.update().where(M.id == move.id, M.state == "planned", M.asked_at.is_(None))
        .values(asked_at=at)
    )  # fmt: skip
    if done.rowcount != 1:
        raise Refused(f"withdrawal {move.memo} was asked for meanwhile", "", "it is looked up before anything else")


def set_state(conn: sa.Connection, move: Move, state: str, **columns: Any) -> bool:
    """Compare-and-set of a move from the state it was read in; False: someone else was faster."""
    done = conn.execute(t.moves.update().where(M.id == move.id, M.state == move.state).values(state=state, **columns))
    return done.rowcount == 1
