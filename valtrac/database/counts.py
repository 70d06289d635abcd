"""Counting in a database without loading anything heavy, for the first screen.

Plain `sqlite3`, read-only: loading SQLAlchemy would take longer than drawing the menu. Whatever
is wrong with the file is none of this look's business: it then knows nothing.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

SQLITE = "sqlite:///"


def ask(url: str | Path, *questions: str, **values: int) -> list[list[Any]] | None:
    """The rows of each question; None for a database that is not SQLite, is not there yet or cannot be read.

    values: of parameters, by their names.
    """
    path = url if isinstance(url, Path) else Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
    if path is None:
        return None
    try:
        conn = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=0.2)
    except sqlite3.Error:
        return None
    try:
        return [conn.execute(question, values).fetchall() for question in questions]
    except sqlite3.Error:
        return None
    finally:
        conn.close()


def rows_of(url: str | Path, table: str, question: str) -> list[Any] | None:
    """The rows of a question about a table; [] where there is no such database or table yet.

    None where there is one and it cannot be read now: then nobody knows.
    """
    path = url if isinstance(url, Path) else Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
    try:
        if path is None:
            return _of_server(str(url), table, question)
        if not path.exists() or not path.stat().st_size:
            return []
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=2.0)) as conn:
            there = conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            return conn.execute(question).fetchall() if there else []
    except Exception:  # whatever it was: this is asked while another error is on its way to the owner
        return None


def _of_server(url: str, table: str, question: str) -> list[Any]:
    import sqlalchemy as sa

    engine = sa.create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as conn:
            return list(conn.exec_driver_sql(question)) if sa.inspect(conn).has_table(table) else []
    finally:
        engine.dispose()
