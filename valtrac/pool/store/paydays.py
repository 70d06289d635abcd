"""Days of payment that were kept, and states that last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import genesis_of, insert
from valtrac.pool.store import tables as t

P, E = t.paydays.c, t.episodes.c


def add(conn: sa.Connection, values: Mapping[str, Any]) -> int | None:
    """Store a payday; its number, None where one of that moment was kept already."""
    row = {"genesis": genesis_of(conn), **values}
    made = conn.execute(insert(conn, t.paydays).values(row).on_conflict_do_nothing().returning(P.id)).scalar()
    return None if made is None else int(made)


def last(conn: sa.Connection) -> dict[str, Any] | None:
    """The payday of the latest moment."""
    row = conn.execute(sa.select(t.paydays).order_by(P.due_at.desc()).limit(1)).first()
    return None if row is None else dict(row._mapping)


def height_before(conn: sa.Connection, due_at: datetime, begun_after: int) -> int:
    """The last block that was in a payday before the one of this moment; begun_after where there was none."""
    chosen = sa.select(P.height).where(P.due_at < due_at).order_by(P.due_at.desc()).limit(1)
    height = conn.execute(chosen).scalar()
    return begun_after if height is None else int(height)


def listed(conn: sa.Connection, *, most: int = 1_000_000_000) -> list[dict[str, Any]]:
    """The newest paydays, the newest first."""
    return [dict(row._mapping) for row in conn.execute(sa.select(t.paydays).order_by(P.due_at.desc()).limit(most))]


def of_batch(conn: sa.Connection, batch_id: int) -> dict[str, Any] | None:
    """The payday that a batch pays."""
    row = conn.execute(sa.select(t.paydays).where(P.batch_id == batch_id)).first()
    return None if row is None else dict(row._mapping)


def begin_episode(conn: sa.Connection, kind: str, words: str, at: datetime) -> bool:
    """Note that a state has begun; False where it lasts already."""
    row = {"kind": kind, "words": words[:500], "began_at": at}
    return conn.execute(insert(conn, t.episodes).values(row).on_conflict_do_nothing()).rowcount == 1


def mark(conn: sa.Connection, kind: str, words: str, at: datetime) -> None:
    """Note something that begins and is over at once."""
    conn.execute(t.episodes.insert().values(kind=kind, words=words[:500], began_at=at, ended_at=at))


def episodes_of(conn: sa.Connection, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """The states that began or were over from first to before last."""
    within = sa.or_(sa.and_(E.began_at >= first, E.began_at < last), sa.and_(E.ended_at >= first, E.ended_at < last))
    return [dict(row._mapping) for row in conn.execute(sa.select(t.episodes).where(within).order_by(E.id))]


def end_episode(conn: sa.Connection, kind: str, at: datetime) -> bool:
    """Note that a state is over; False where it did not last."""
    done = t.episodes.update().where(E.kind == kind, E.ended_at.is_(None)).values(ended_at=at)
    return conn.execute(done).rowcount == 1


def lasting(conn: sa.Connection) -> list[dict[str, Any]]:
    """The states that last now: id, kind, words, began_at."""
    rows = conn.execute(sa.select(t.episodes).where(E.ended_at.is_(None)).order_by(E.id))
    return [dict(row._mapping) for row in rows]


def episodes(conn: sa.Connection, *, most: int = 1_000) -> list[dict[str, Any]]:
    """The newest states that lasted or last, the newest first."""
    return [dict(row._mapping) for row in conn.execute(sa.select(t.episodes).order_by(E.id.desc()).limit(most))]
