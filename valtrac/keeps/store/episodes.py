"""States that last: since when, in which words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import insert
from valtrac.keeps.store import tables as t

E = t.episodes.c


def note(conn: sa.Connection, kind: str, subject: str, words: str, now: datetime) -> bool:
    """A state holds; whether that is news."""
    row = {"kind": kind, "subject": subject, "words": words[:500], "began_at": now}
    added = insert(conn, t.episodes).values(row).on_conflict_do_nothing().returning(E.id)
    if conn.execute(added).scalar() is not None:
        return True
    lasting = (E.kind == kind, E.subject == subject, E.over_at.is_(None))
    conn.execute(t.episodes.update().where(*lasting).values(words=words[:500]))
    return False


def over(conn: sa.Connection, kind: str, *, but: set[str] | frozenset[str] = frozenset(), now: datetime) -> int:
    """Those of a kind that last are over, but for some subjects; how many."""
    lasting = [E.kind == kind, E.over_at.is_(None), E.subject.not_in(but)]
    return int(conn.execute(t.episodes.update().where(*lasting).values(over_at=now)).rowcount)


def lasting(conn: sa.Connection) -> list[dict[str, Any]]:
    """The states that hold now: kind, subject, words, began_at."""
    return [dict(row._mapping) for row in conn.execute(sa.select(t.episodes).where(E.over_at.is_(None)).order_by(E.id))]
