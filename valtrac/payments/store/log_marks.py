"""How far the files of the log of payments were read, and found right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from valtrac.database.engine import insert
from valtrac.payments.store import tables as t

M = t.log_marks.c


@dataclass(frozen=True, slots=True)
class Mark:
    """digest: of the whole file then. listed: the hash of the newest receipt that stands in it, "" where that is not
    known. checked: whether every transaction in it is known to this ledger."""

    digest: bytes
    listed: str
    checked: bool


def of(conn: sa.Connection, path: Path) -> Mark | None:
    """What is noted of a file; None: nothing."""
    row = conn.execute(sa.select(M.digest, M.listed, M.checked).where(M.path == str(path))).first()
    return None if row is None else Mark(row.digest, row.listed, row.checked)


def note(conn: sa.Connection, path: Path, mark: Mark) -> None:
    """Note it, in the place of what was noted before."""
    values = {"digest": mark.digest, "listed": mark.listed, "checked": mark.checked, "at": datetime.now(UTC)}
    placed = insert(conn, t.log_marks).values(path=str(path), **values)
    conn.execute(placed.on_conflict_do_update(index_elements=["path"], set_=values))
