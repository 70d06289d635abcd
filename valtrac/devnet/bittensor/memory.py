"""What was read of a rehearsal chain's file, remembered with the connection for as long as nobody has written to it.

A node is asked some thousand times for what seldom changes. Other processes write to the same file: whoever begins
something looks once whether they did, and is then of one mind about the chain until it is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Connection(sqlite3.Connection):
    """A connection that remembers. What it writes itself, it notices; for what others write it has to `look`."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._read: dict[str, Any] = {}
        self._others, self._own = -1, -1

    def look(self) -> None:
        """Forget what was read where another connection has written since."""
        (others,) = self.execute("PRAGMA data_version").fetchone()
        if others != self._others:
            self._others, self._read = others, {}

    def forget(self) -> None:
        """Forget what was read: a transaction was taken back, which counts as no change."""
        self._read = {}

    def remembered(self, name: str, read: Callable[[], T]) -> T:
        """What is known under a name; read where it is not, or where this connection has written since."""
        if self.total_changes != self._own:
            self._own, self._read = self.total_changes, {}
        known = self._read  # what another thread forgets meanwhile is not to be remembered all the same
        if name not in known:
            known[name] = read()
        value: T = known[name]
        return value


def look(db: sqlite3.Connection) -> None:
    """Have a connection notice what others have written; one that remembers nothing need not."""
    if isinstance(db, Connection):
        db.look()


def forget(db: sqlite3.Connection) -> None:
    """Have a connection forget what it has read."""
    if isinstance(db, Connection):
        db.forget()


def remembered(db: sqlite3.Connection, name: str, read: Callable[[], T]) -> T:
    """What a connection knows under a name; one that remembers nothing reads it each time."""
    return db.remembered(name, read) if isinstance(db, Connection) else read()
