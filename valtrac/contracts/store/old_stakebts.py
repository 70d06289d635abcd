"""Reading the SQLite database of StakeBTS, which is opened for reading only and never written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from valtrac.core.errors import BadInput
from valtrac.core.text import plain

NEEDED = {"nominator", "amount", "type", "start", "due", "status", "block_start", "number"}


def read(path: Path) -> tuple[list[dict[str, Any]], list[tuple[int, int, str]], int | None]:
    """(rows of stakes by column, receipts (nonce, now, msg), the last block that it had read).

    Raises BadInput where it is not a database of StakeBTS.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            if not _columns(db, "stakes") >= NEEDED:
                raise BadInput(f"{plain(path)} is not a database of StakeBTS", why="it has no such table of stakes")
            rows = [dict(row) for row in db.execute("SELECT * FROM stakes")]
            receipts = [(int(a), int(b), str(c)) for a, b, c in db.execute("SELECT nonce, now, msg FROM receipts")]
            return rows, receipts, _last_block(db)
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise BadInput(
            f"{plain(path)} cannot be read", why=plain(error), fix="give the file of StakeBTS's database"
        ) from error


def _last_block(db: sqlite3.Connection) -> int | None:
    for table in ("block_num", "block"):
        for column in ("block_num", "block"):
            if column in _columns(db, table):
                largest = db.execute(f"SELECT MAX({column}) FROM {table}").fetchone()[0]  # noqa: S608 - words of ours
                return None if largest is None else int(largest)
    return None


def _columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row["name"] for row in db.execute(f"PRAGMA table_info({table})")}
