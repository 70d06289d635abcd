"""Looking at a database without changing it: whether it is there, whole, and of which version. Migrates nothing."""

from __future__ import annotations

import stat
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from valtrac.core.text import plain
from valtrac.database.counts import SQLITE
from valtrac.database.opening import REVISION

LARGEST_READ = 500_000_000  # bytes: of a larger file only the first pages are looked at, or it would take minutes
OTHERS = 0o077
WANTED = REVISION  # the version of the tables that this program needs


@dataclass(frozen=True, slots=True)
class Condition:
    """exists: there is something to read. revision: the version of its tables, "" where it has none yet. words: what
    is wrong with it, "" where nothing is. open_to_others: other users of this machine may read it."""

    place: str
    exists: bool
    revision: str = ""
    words: str = ""
    open_to_others: bool = False

    @property
    def usable(self) -> bool:
        """Whether it can be read as it is, without being changed first."""
        return self.exists and not self.words and self.revision == WANTED


def look(url: str | Path) -> Condition:
    """How a database is. Never raises."""
    path = url if isinstance(url, Path) else Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
    try:
        return _of_server(str(url)) if path is None else _of_file(path)
    except Exception as error:  # whatever it is, it is told as what is wrong with the database
        return Condition(plain(path or "the server"), True, words=plain(getattr(error, "orig", None) or error))


def _of_file(path: Path) -> Condition:
    import sqlite3
    from urllib.parse import quote

    place = plain(path)
    if not path.exists():
        return Condition(place, False)
    facts = path.stat()
    shared = bool(stat.S_IMODE(facts.st_mode) & OTHERS)
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=2.0)) as conn:
        found, revision = "ok", ""
        if facts.st_size <= LARGEST_READ:
            (found,) = conn.execute("PRAGMA quick_check(1)").fetchone()
        with suppress(sqlite3.OperationalError):  # no such table: nothing was migrated yet
            (revision,) = conn.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    return Condition(place, True, str(revision), "" if found == "ok" else plain(found), shared)


def _of_server(url: str) -> Condition:
    import sqlalchemy as sa

    engine = sa.create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as conn:
            known = sa.inspect(conn).has_table("alembic_version")
            revision = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() if known else ""
    finally:
        engine.dispose()
    return Condition("the server", True, str(revision or ""))
