"""Opening a database: the settings that money needs, set and asserted on every connection, and its migrations."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import Refused, ValtracError
from valtrac.core.text import plain
from valtrac.database.engine import reading

REVISION = "0020"


# what SQLite must answer after being told: a file system or build that cannot is refused
DURABLE = "synchronous_commit"  # the same of PostgreSQL
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
            why=plain(cause),
            fix="check VALTRAC_HOME, VALTRAC_DATABASE_URL and the rights of the folder",
        ) from error
    return engine


def _options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30.0}}
    return {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}


def _private_file(path: str | None) -> None:
    """A database that only its owner can read; the folder is made where it is missing."""
    if not path or path == ":memory:":
        raise Refused(
            "a database in memory forgets what was paid", fix="name a file: sqlite:////path/to/valtrac.sqlite"
        )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare(engine: sa.Engine) -> None:
    if engine.dialect.name != "sqlite":
        sa.event.listen(engine, "connect", _waits_for_the_disk)
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
                    why=f"it answers {got}",
                    fix="keep it on a local file system that supports it",
                )

    @sa.event.listens_for(engine, "begin")
    def on_begin(conn: sa.Connection) -> None:
        writes = conn.get_execution_options().get("valtrac_write", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _waits_for_the_disk(dbapi: Any, _record: object) -> None:
    """What was committed is on the server's disk when it says so: a server that is set otherwise is told, and asked."""
    with dbapi.cursor() as cursor:
        cursor.execute(f"SHOW {DURABLE}")
        if cursor.fetchone()[0] == "off":
            cursor.execute(f"SET {DURABLE} = on")
            cursor.execute(f"SHOW {DURABLE}")
            if cursor.fetchone()[0] != "on":
                raise ValtracError(
                    f"the database does not take {DURABLE}=on",
                    why="what it says is written could be gone after a loss of power",
                    fix=f"let whoever runs it set {DURABLE} to on for this user",
                )
    dbapi.commit()


def _migrate(engine: sa.Engine) -> None:
    """Bring the tables up to date; Alembic is only loaded when there is something to do."""
    with reading(engine) as conn:
        revision = None
        if sa.inspect(conn).has_table("alembic_version"):
            revision = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if revision == REVISION:
        return
    if revision is not None and revision > REVISION:
        raise Refused(
            "this database was written by a newer version of ValTrac",
            why=f"it is at {revision}, this is {REVISION}",
            fix="update ValTrac on this machine",
        )
    from valtrac.database.migrate import upgrade

    if revision is not None and engine.dialect.name == "sqlite":
        from valtrac.database.copying import before_migrating

        before_migrating(Path(str(engine.url.database)), str(revision), REVISION)
    upgrade(engine)
