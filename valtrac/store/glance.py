"""A look at the database for the first screen, before anything heavy is loaded.

Plain `sqlite3`, read-only: loading SQLAlchemy would take longer than drawing the menu. Whatever
is wrong with the file is none of this look's business: it then knows nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Glance:
    """How much there is: people in force, the newest snapshot's block, batches by state; tied: to a chain already."""

    users: int = 0
    last_block: int | None = None
    batches: tuple[tuple[str, int], ...] = ()
    tied: bool = False

    def count(self, state: str) -> int:
        """How many batches are in a state."""
        return dict(self.batches).get(state, 0)


def look(url: str | Path) -> Glance | None:
    """What there is; None for a database that is not SQLite, is not there yet or cannot be read."""
    path = url if isinstance(url, Path) else Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
    if path is None:
        return None
    try:
        conn = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=0.2)
    except sqlite3.Error:
        return None
    try:
        (users,) = conn.execute("SELECT COUNT(*) FROM user_terms WHERE until_block IS NULL").fetchone()
        (last,) = conn.execute("SELECT MAX(block) FROM snapshots").fetchone()
        states = conn.execute("SELECT state, COUNT(*) FROM batches GROUP BY state").fetchall()
        (tied,) = conn.execute("SELECT COUNT(*) FROM identity").fetchone()
        return Glance(users, last, tuple(states), bool(tied))
    except sqlite3.Error:
        return None
    finally:
        conn.close()
