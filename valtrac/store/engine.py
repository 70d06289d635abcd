"""Opening the database: the settings that money needs, set and asserted on every connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.domain.money import ASSETS, TAO, Asset
from valtrac.domain.text import plain
from valtrac.errors import Refused, ValtracError
from valtrac.store import tables as t

REVISION = "0007"
UNKNOWN_GENESIS = ""
# what SQLite must answer after being told: a file system or build that cannot is refused
PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}


def open_engine(url: str | Path) -> sa.Engine:
    """The database behind a URL, or in a SQLite file, migrated to what this version needs.

    Raises Refused when it was written by a newer version, ValtracError when it cannot be opened.
    """
    try:
        parsed = sa.URL.create("sqlite", database=str(url)) if isinstance(url, Path) else sa.engine.make_url(url)
        if parsed.get_backend_name() == "sqlite":
            _private_file(parsed.database)
        engine = sa.create_engine(parsed, **_options(parsed))
        _prepare(engine)
        _migrate(engine)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise ValtracError(
            "the database cannot be opened",
            plain(cause),
            "check VALTRAC_HOME, VALTRAC_DATABASE_URL and the rights of the folder",
        ) from error
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that may write: BEGIN IMMEDIATE on SQLite, so that no update is lost."""
    with told(), engine.connect().execution_options(valtrac_write=True) as conn, conn.begin():
        yield conn


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One consistent view of the database, however many tables are read."""
    view = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with told(), engine.connect().execution_options(**view) as conn, conn.begin():
        yield conn


@contextmanager
def told() -> Iterator[None]:
    """Say in words what a database that is busy, full or gone says in codes; nothing was written then."""
    try:
        yield
    except sa.exc.OperationalError as error:
        cause = plain(error.orig)
        held = any(word in cause for word in ("locked", "full", "disk", "readonly"))
        fix = (
            "close other programs that hold it, make room on the disk, then try again"
            if held
            else "check that the server runs, VALTRAC_DATABASE_URL, and the rights of the folder"
        )
        raise ValtracError("the database cannot be used right now", cause, fix) from error


def insert(conn: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that knows ON CONFLICT, in the words of the database at hand."""
    from sqlalchemy.dialects import postgresql, sqlite

    return sqlite.insert(table) if conn.dialect.name == "sqlite" else postgresql.insert(table)


def genesis_of(conn: sa.Connection) -> str:
    """The chain this database belongs to; "" while no node has been asked."""
    found: str | None = conn.execute(sa.select(t.identity.c.genesis)).scalar()
    return found or UNKNOWN_GENESIS


def asset_of(conn: sa.Connection) -> Asset:
    """What this database's chain pays in; TAO while no node has been asked."""
    return ASSETS[conn.execute(sa.select(t.identity.c.asset)).scalar() or TAO.symbol]


def claim_identity(conn: sa.Connection, genesis: str, network: str, asset: Asset = TAO) -> None:
    """Tie the database to a chain, and to what it pays in, at the first contact; later, refuse any other.

    Raises Refused when the database belongs to another chain.
    """
    row = conn.execute(sa.select(t.identity)).first()
    if row is None:
        conn.execute(
            t.identity.insert().values(id=1, genesis=genesis, network=network, at=datetime.now(UTC), asset=asset.symbol)
        )
    elif row.genesis != genesis:
        raise Refused(
            "this database belongs to another chain",
            f"it was made for {plain(row.network)} (genesis {row.genesis[:12]}...), "
            f"the node serves {plain(network)} (genesis {genesis[:12]}...)",
            "set VALTRAC_NETWORK back, or give this network a home or a VALTRAC_DATABASE_URL of its own"
            if asset == TAO
            else "set VALTRAC_BITSHARES_NETWORK and its nodes back, or give this chain a home of its own: VALTRAC_HOME",
        )


def _options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30.0}}
    return {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}


def _private_file(path: str | None) -> None:
    """A database that only its owner can read; the folder is made where it is missing."""
    if not path or path == ":memory:":
        raise Refused(
            "a database in memory forgets what was paid", "", "name a file: sqlite:////path/to/valtrac.sqlite"
        )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare(engine: sa.Engine) -> None:
    if engine.dialect.name != "sqlite":
        return

    @sa.event.listens_for(engine, "connect")
    def on_connect(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None  # transactions are begun below, never by the driver
        for pragma, wanted in PRAGMAS.items():
            dbapi.execute(f"PRAGMA {pragma}={wanted}")
            (got,) = dbapi.execute(f"PRAGMA {pragma}").fetchone()
            if got != wanted:
                raise ValtracError(
                    f"the database does not take {pragma}={wanted}",
                    f"it answers {got}",
                    "keep it on a local file system that supports it",
                )

    @sa.event.listens_for(engine, "begin")
    def on_begin(conn: sa.Connection) -> None:
        writes = conn.get_execution_options().get("valtrac_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _migrate(engine: sa.Engine) -> None:
    """Bring the tables up to date; Alembic is only loaded when there is something to do."""
    with reading(engine) as conn:
        at = None
        if sa.inspect(conn).has_table("alembic_version"):
            at = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if at == REVISION:
        return
    if at is not None and at > REVISION:
        raise Refused(
            "this database was written by a newer version of ValTrac",
            f"it is at {at}, this is {REVISION}",
            "update ValTrac on this machine",
        )
    from valtrac.store.migrate import upgrade

    upgrade(engine)
