"""The tables keep money safe by themselves: on SQLite and on PostgreSQL, whoever holds the connection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.database.rows import KINDS, METADATA, NOW, RULES, TABLES, attempt, filled, refused
from tests.databases import fresh
from valtrac.database import engine as engines
from valtrac.database import opening
from valtrac.database.types import Units


@pytest.fixture(scope="module", params=KINDS)
def rows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """A database with rows in every table. What is tried on it is refused, so that all may try on the same."""
    opened = opening.open_engine(fresh(request.param, tmp_path_factory.mktemp("rows")))
    filled(opened)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("table", RULES)
def test_nothing_is_ever_removed(rows: sa.Engine, table: str) -> None:
    refused(rows, f"DELETE FROM {table}")
    if rows.dialect.name == "postgresql":
        refused(rows, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", [name for name, rules in RULES.items() if rules.append_only])
def test_what_is_append_only_never_changes(rows: sa.Engine, table: str) -> None:
    column = METADATA.tables[table].columns.keys()[1]
    refused(rows, f"UPDATE {table} SET {column} = {column}")


@pytest.mark.parametrize(("table", "columns"), [(name, rules.frozen) for name, rules in RULES.items() if rules.frozen])
def test_frozen_columns_never_change(rows: sa.Engine, table: str, columns: tuple[str, ...]) -> None:
    for column in columns:
        kind = METADATA.tables[table].c[column].type
        other = {"LargeBinary": "'\\x00'" if rows.dialect.name == "postgresql" else "x'00'"}.get(type(kind).__name__)
        if other is None:
            other = "7777" if isinstance(kind, sa.Integer | Units) else "'x'"
        refused(rows, f"UPDATE {table} SET {column} = {other}")


def test_replacing_a_row_is_refused_like_deleting_it(tmp_path: Path) -> None:
    engine = opening.open_engine(fresh("sqlite", tmp_path))
    filled(engine)
    refused(engine, "INSERT OR REPLACE INTO keys (id, address) VALUES (1, 'B')")


@pytest.mark.parametrize(
    ("table", "arc"),
    [
        ("batches", "draft>settled"),
        ("batches", "draft>sending"),
        ("lines", "planned>paid"),
        ("attempts", "signed>signed2"),
        ("claims", "held>gone"),
        ("chunks", "attempted>new"),
        ("alert_episodes", "lasts>gone"),
        ("alert_messages", "ready>lost"),
    ],
)
def test_a_state_moves_along_its_arcs_only(rows: sa.Engine, table: str, arc: str) -> None:
    with pytest.raises(sa.exc.DBAPIError), engines.writing(rows) as conn:
        conn.exec_driver_sql(f"UPDATE {table} SET state = '{arc.split('>')[1]}'")


def test_a_resolved_attempt_never_changes_again(engine: sa.Engine) -> None:
    filled(engine)
    with engines.writing(engine) as conn:
        conn.exec_driver_sql("UPDATE attempts SET state = 'landed', block = 5")
    refused(engine, "UPDATE attempts SET block = 6")
    refused(engine, "UPDATE attempts SET state = 'failed'")


@pytest.mark.parametrize(
    ("index", "row"),
    [
        ("one_live_attempt", {"chunk_id": 1, "tx_id": "0x2", "wallet": "W2"}),
        ("one_unresolved_attempt", {"chunk_id": 2, "tx_id": "0x2"}),
        ("tx_id", {"chunk_id": 2, "tx_id": "0x1", "wallet": "W2"}),
    ],
)
def test_a_second_attempt_is_kept_out_by_its_index(engine: sa.Engine, index: str, row: dict[str, Any]) -> None:
    filled(engine)
    with engines.writing(engine) as conn:
        conn.execute(TABLES.chunks.insert().values(id=2, batch_id=1, state="attempted", created_at=NOW))
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as conn:
        conn.execute(TABLES.attempts.insert().values(id=2, **attempt(**row)))


def test_a_line_is_in_one_live_chunk_only(engine: sa.Engine) -> None:
    filled(engine)
    with engines.writing(engine) as conn:
        conn.execute(TABLES.chunks.insert().values(id=2, batch_id=1, state="attempted", created_at=NOW))
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as conn:
        conn.execute(TABLES.chunk_lines.insert().values(chunk_id=2, line_id=1, position=0, live=True))


def test_a_receipt_has_one_successor_only(engine: sa.Engine) -> None:
    filled(engine)
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as conn:
        conn.execute(
            TABLES.receipts.insert().values(
                genesis="0xg", line_id=1, attempt_id=1, body="{}", previous_hash="", hash="other", at=NOW
            )
        )


@pytest.mark.parametrize("nano", [0, -1])
def test_a_price_of_zero_cannot_be_written(engine: sa.Engine, nano: int) -> None:
    row = {"at": NOW, "currency": "USD", "price_nano": nano, "source": "s", "words": "", "created_at": NOW}
    with pytest.raises(sa.exc.IntegrityError, match="above_zero"), engines.writing(engine) as conn:
        conn.execute(TABLES.prices.insert().values(**row))
