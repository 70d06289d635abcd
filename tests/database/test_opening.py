"""A database is made, opened and refused as it should be, and no write is lost: on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.database.rows import METADATA, NOW, TABLES, filled
from tests.databases import copies, fresh
from valtrac.core.errors import Refused, ValtracError
from valtrac.core.money import TAO
from valtrac.database import engine as engines
from valtrac.database import opening, triggers


def test_every_trigger_is_there_after_the_migrations(migrated: sa.Engine) -> None:
    with engines.reading(migrated) as conn:
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if conn.dialect.name == "sqlite"
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        present = {row[0] for row in conn.exec_driver_sql(query)}
    assert set(triggers.names()) <= present


def test_the_migrations_make_just_the_tables_that_the_code_knows(migrated: sa.Engine) -> None:
    with engines.reading(migrated) as conn:
        differences = compare_metadata(MigrationContext.configure(conn), METADATA)
    assert differences == []


def test_sqlite_is_set_to_keep_what_was_committed(tmp_path: Path) -> None:
    with copies(False):
        engine = opening.open_engine(fresh("sqlite", tmp_path))
    with engines.reading(engine) as conn:
        for pragma, wanted in opening.PRAGMAS.items():
            assert conn.exec_driver_sql(f"PRAGMA {pragma}").scalar() == wanted
    assert (tmp_path / "data" / "valtrac.sqlite").stat().st_mode & 0o077 == 0


def test_no_update_is_lost_when_several_write_at_once(engine: sa.Engine) -> None:
    with engines.writing(engine) as conn:
        conn.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        conn.execute(sa.text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(25):
            with engines.writing(engine) as conn:
                lock = "" if conn.dialect.name == "sqlite" else " FOR UPDATE"
                n = conn.execute(sa.text(f"SELECT n FROM counter{lock}")).scalar_one()
                conn.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engines.reading(engine) as conn:
        assert conn.execute(sa.text("SELECT n FROM counter")).scalar() == 100


def test_a_database_belongs_to_one_chain(engine: sa.Engine) -> None:
    with engines.writing(engine) as conn:
        engines.claim_identity(conn, "0xa", "devnet", TAO)
        engines.claim_identity(conn, "0xa", "devnet", TAO)
    with pytest.raises(Refused, match="another chain"), engines.writing(engine) as conn:
        engines.claim_identity(conn, "0xb", "finney", TAO)


def test_a_newer_database_is_refused(engine: sa.Engine) -> None:
    with engines.writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="newer version"):
        opening.open_engine(engine.url.render_as_string(hide_password=False))


def test_units_of_any_size_and_instants_in_utc_come_back_as_they_went_in(engine: sa.Engine) -> None:
    filled(engine)
    large = 2**200 + 1
    with engines.writing(engine) as conn:
        conn.execute(
            TABLES.entries.insert().values(
                genesis="0xg", person="p", asset="ETH", kind="held", units=large, cause="c", at=NOW
            )
        )
    with engines.reading(engine) as conn:
        row = conn.execute(sa.select(TABLES.entries).where(TABLES.entries.c.person == "p")).one()
    assert (row.units, row.at) == (large, NOW)
    assert row.at.tzinfo is not None
    with pytest.raises(sa.exc.StatementError, match="int"), engines.writing(engine) as conn:
        conn.execute(
            TABLES.entries.insert().values(genesis="", person="p", asset="x", kind="held", units=1.5, cause="", at=NOW)
        )


def test_a_server_that_forgets_what_was_committed_is_asked_to_wait_for_its_disk(tmp_path: Path) -> None:
    engine = opening.open_engine(fresh("postgresql", tmp_path))
    try:
        with engines.reading(engine) as conn:
            assert conn.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"  # the server's own setting is off
    finally:
        engine.dispose()


def test_a_server_that_does_not_wait_for_its_disk_is_refused() -> None:
    class Stubborn:
        """A connection that says off, whatever it is told."""

        def cursor(self) -> Self:
            return self

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def execute(self, _: str) -> None:
            pass

        def fetchone(self) -> tuple[str]:
            return ("off",)

    with pytest.raises(ValtracError, match="does not take synchronous_commit=on"):
        opening._waits_for_the_disk(Stubborn(), None)
