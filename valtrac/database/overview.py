"""A look at the database for the first screen, before anything heavy is loaded.

Plain `sqlite3`, read-only: loading SQLAlchemy would take longer than drawing the menu. Whatever
is wrong with the file is none of this look's business: it then knows nothing.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
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


@dataclass(frozen=True, slots=True)
class ContractsGlance:
    """How many stake contracts run, transfers wait for the owner's word, and payments have to be made by hand."""

    running: int = 0
    waiting: int = 0
    delinquent: int = 0


def look(url: str | Path) -> Glance | None:
    """What there is; None for a database that is not SQLite, is not there yet or cannot be read."""
    answers = _ask(
        url,
        "SELECT COUNT(*) FROM user_terms WHERE until_block IS NULL",
        "SELECT MAX(block) FROM snapshots",
        "SELECT state, COUNT(*) FROM batches GROUP BY state",
        "SELECT COUNT(*) FROM identity",
    )
    if answers is None:
        return None
    ((users,),), ((last,),), states, ((tied,),) = answers
    return Glance(users, last, tuple(states), bool(tied))


def look_at_contracts(url: str | Path) -> ContractsGlance | None:
    """The same of the database of stake contracts."""
    answers = _ask(
        url,
        "SELECT COUNT(*) FROM dues WHERE type = 'principal' AND state IN ('pending', 'processing', 'delinquent')",
        "SELECT COUNT(*) FROM operations WHERE state IN ('parked', 'unruled')",
        "SELECT COUNT(*) FROM dues WHERE state = 'delinquent'",
    )
    return None if answers is None else ContractsGlance(*(rows[0][0] for rows in answers))


def _ask(url: str | Path, *questions: str) -> list[list[Any]] | None:
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
