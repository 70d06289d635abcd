"""Counting in a database without loading anything heavy, for the first screen.

Plain `sqlite3`, read-only: loading SQLAlchemy would take longer than drawing the menu. Whatever
is wrong with the file is none of this look's business: it then knows nothing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

SQLITE = "sqlite:///"


def ask(url: str | Path, *questions: str) -> list[list[Any]] | None:
    """The rows of each question; None for a database that is not SQLite, is not there yet or cannot be read."""
    path = url if isinstance(url, Path) else Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
    if path is None:
        return None
    try:
        conn = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=0.2)
    except sqlite3.Error:
        return None
    try:
        return [conn.execute(question).fetchall() for question in questions]
    except sqlite3.Error:
        return None
    finally:
        conn.close()
