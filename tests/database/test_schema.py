"""The tables keep money safe by themselves: on SQLite and on PostgreSQL, whoever holds the connection."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.databases import copies, fresh
from valtrac.core.errors import Refused, ValtracError
from valtrac.core.money import TAO
from valtrac.database import engine as engines
from valtrac.database import opening, triggers
from valtrac.database.schema import whole
from valtrac.database.types import Units

METADATA = whole()
TABLES = SimpleNamespace(**METADATA.tables)
RULES = {name: table.info["rules"] for name, table in METADATA.tables.items()}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def engine(request, tmp_path):
    opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture(params=KINDS)
def migrated(request, tmp_path):
    """What the migrations make of an empty database, here and now; `engine` is a copy of such a one."""
    with copies(False):
        opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


def refused(engine, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="refused"), engines.writing(engine) as conn:
        conn.exec_driver_sql(statement)


def filled(engine) -> None:
    """One row in every table."""
    with engines.writing(engine) as conn:
        engines.claim_identity(conn, "0xg", "devnet", TAO)
        conn.execute(TABLES.users.insert().values(id=1, genesis="0xg", name="ann", created_at=NOW))
        conn.execute(TABLES.renames.insert().values(user_id=1, old_name="a", new_name="ann", at=NOW))
        term = {"genesis": "0xg", "from_block": 0, "created_at": NOW}
        conn.execute(TABLES.user_terms.insert().values(user_id=1, **term))
        conn.execute(TABLES.address_terms.insert().values(user_id=1, address="A", position=0, **term))
        conn.execute(TABLES.payout_terms.insert().values(user_id=1, address="A", **term))
        conn.execute(TABLES.referral_terms.insert().values(referee_id=1, referrer_id=1, **term))
        conn.execute(TABLES.rate_terms.insert().values(referrer_id=1, rate_bps=1, **term))
        conn.execute(
            TABLES.policy_terms.insert().values(person="user:1", kind="exclude", value="yes", words="", **term)
        )
        conn.execute(TABLES.confirmations.insert().values(genesis="0xg", person="user:1", address="A", at=NOW))
        conn.execute(TABLES.swap_sightings.insert().values(genesis="0xg", address="A", block=1, announced=True, at=NOW))
        conn.execute(TABLES.keys.insert().values(id=1, address="A"))
        conn.execute(TABLES.rosters.insert().values(id=1, digest=b"d", ids=b"i"))
        conn.execute(
            TABLES.snapshots.insert().values(
                genesis="0xg",
                hotkey="H",
                netuid=0,
                block=1,
                block_hash="0x",
                at=NOW,
                owner="O",
                owner_stake=1,
                others_stake=2,
                verified=True,
                heads=1,
                roster_id=1,
                depth=0,
                stakes=b"s",
                digest=b"d",
            )
        )
        conn.execute(TABLES.snapshot_rulings.insert().values(snapshot_id=1, words="a slip", at=NOW))
        conn.execute(TABLES.paid_before.insert().values(genesis="0xg", hotkey="H", block=1, words="", at=NOW))
        conn.execute(
            TABLES.batches.insert().values(
                id=1,
                genesis="0xg",
                producer="payouts",
                state="draft",
                wallet="W",
                fee=0,
                total=1,
                spec="{}",
                plan="{}",
                inputs_hash="h",
                created_at=NOW,
            )
        )
        conn.execute(
            TABLES.claimed_ranges.insert().values(
                genesis="0xg", batch_id=1, hotkey="H", netuid="0", from_block=0, to_block=1, state="planned"
            )
        )
        conn.execute(
            TABLES.lines.insert().values(
                id=1,
                batch_id=1,
                position=0,
                name="ann",
                person="user:1",
                address="A",
                from_pool=1,
                released=0,
                fee_share=0,
                amount=1,
                state="planned",
            )
        )
        conn.execute(
            TABLES.claims.insert().values(genesis="0xg", hotkey="H", netuid=0, block=1, batch_id=1, state="held")
        )
        conn.execute(TABLES.chunks.insert().values(id=1, batch_id=1, state="attempted", created_at=NOW))
        conn.execute(TABLES.chunk_lines.insert().values(chunk_id=1, line_id=1, position=0, live=True))
        conn.execute(TABLES.attempts.insert().values(id=1, **attempt(chunk_id=1, tx_id="0x1")))
        conn.execute(
            TABLES.wallets.insert().values(
                genesis="0xg", address="W", baseline_block=0, baseline_hash="0x", baseline_nonce=0, at=NOW
            )
        )
        conn.execute(
            TABLES.rulings.insert().values(
                genesis="0xg", wallet="W", nonce=0, tx_id="0x", block=1, ruling="foreign", words="rent", at=NOW
            )
        )
        conn.execute(
            TABLES.entries.insert().values(
                genesis="0xg", person="user:1", asset="TAO", kind="paid", units=1, cause="c", at=NOW
            )
        )
        conn.execute(
            TABLES.receipts.insert().values(
                genesis="0xg", line_id=1, attempt_id=1, body="{}", previous_hash="", hash="h", at=NOW
            )
        )
        conn.execute(
            TABLES.prices.insert().values(
                at=NOW, currency="USD", price_nano=1, source="manual", words="", created_at=NOW
            )
        )
        conn.execute(
            TABLES.authority_sets.insert().values(
                genesis="0xg",
                follows=0,
                block=1,
                block_hash="0x",
                number=0,
                weights="[]",
                origin="one node",
                words="",
                proven_block=1,
                proven_hash="0x",
                at=NOW,
            )
        )
        contracted(conn)


def contracted(conn) -> None:
    """One row in every table of contracts."""
    who = {"genesis": "0xg", "account": "1.2.5", "name": "ann"}
    conn.execute(TABLES.cursors.insert().values(name="agreements", genesis="0xg", block=1, block_id="01", at=NOW))
    conn.execute(
        TABLES.operations.insert().values(
            id=1,
            block=1,
            trx=0,
            op=0,
            tx_id="01",
            at=NOW,
            direction="in",
            units=1,
            asset_id="1.3.0",
            fee=1,
            state="waiting",
            kind="",
            tries=0,
            words="",
            created_at=NOW,
            **who,
        )
    )
    conn.execute(
        TABLES.contracts.insert().values(
            id=1,
            key="1:0:0",
            operation_id=1,
            source="memo",
            amount=1,
            months=3,
            reward_bps=800,
            penalty_bps=1500,
            month_ms=1,
            start_at=NOW,
            block=1,
            trx=0,
            op=0,
            created_at=NOW,
            **who,
        )
    )
    conn.execute(
        TABLES.dues.insert().values(
            id=1,
            contract_id=1,
            operation_id=1,
            type="reward",
            number=1,
            units=1,
            memo="",
            start_at=NOW,
            due_at=NOW,
            state="pending",
            created_at=NOW,
            **who,
        )
    )
    conn.execute(
        TABLES.moves.insert().values(
            id=1,
            genesis="0xg",
            exchange="exchange-1",
            cause="cover",
            units=1,
            memo="loan#1",
            state="planned",
            created_at=NOW,
        )
    )
    conn.execute(TABLES.loan_references.insert().values(genesis="0xg", reference="a1", name="ann", words="", at=NOW))
    conn.execute(TABLES.events.insert().values(genesis="0xg", nonce=0, now=1, kind="balances", name="", msg="{}"))


def attempt(**changes):
    return {
        "genesis": "0xg",
        "wallet": "W",
        "raw": b"r",
        "nonce": 0,
        "birth_block": 0,
        "birth_hash": "0x",
        "valid_until": 64,
        "spec_version": 1,
        "units": 1,
        "chain_at": NOW,
        "created_at": NOW,
        "state": "signed",
        **changes,
    }


@pytest.mark.parametrize("table", RULES)
def test_nothing_is_ever_removed(engine, table: str) -> None:
    filled(engine)
    refused(engine, f"DELETE FROM {table}")
    if engine.dialect.name == "postgresql":
        refused(engine, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", [name for name, rules in RULES.items() if rules.append_only])
def test_what_is_append_only_never_changes(engine, table: str) -> None:
    filled(engine)
    column = METADATA.tables[table].columns.keys()[1]
    refused(engine, f"UPDATE {table} SET {column} = {column}")


@pytest.mark.parametrize(("table", "columns"), [(name, rules.frozen) for name, rules in RULES.items() if rules.frozen])
def test_frozen_columns_never_change(engine, table: str, columns: tuple[str, ...]) -> None:
    filled(engine)
    for column in columns:
        kind = METADATA.tables[table].c[column].type
        other = {"LargeBinary": "'\\x00'" if engine.dialect.name == "postgresql" else "x'00'"}.get(type(kind).__name__)
        if other is None:
            other = "7777" if isinstance(kind, sa.Integer | Units) else "'x'"
        refused(engine, f"UPDATE {table} SET {column} = {other}")


def test_replacing_a_row_is_refused_like_deleting_it(tmp_path) -> None:
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
    ],
)
def test_a_state_moves_along_its_arcs_only(engine, table: str, arc: str) -> None:
    filled(engine)
    with pytest.raises(sa.exc.DBAPIError), engines.writing(engine) as conn:
        conn.exec_driver_sql(f"UPDATE {table} SET state = '{arc.split('>')[1]}'")


def test_a_resolved_attempt_never_changes_again(engine) -> None:
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
def test_a_second_attempt_is_kept_out_by_its_index(engine, index: str, row) -> None:
    filled(engine)
    with engines.writing(engine) as conn:
        conn.execute(TABLES.chunks.insert().values(id=2, batch_id=1, state="attempted", created_at=NOW))
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as conn:
        conn.execute(TABLES.attempts.insert().values(id=2, **attempt(**row)))


def test_a_line_is_in_one_live_chunk_only(engine) -> None:
    filled(engine)
    with engines.writing(engine) as conn:
        conn.execute(TABLES.chunks.insert().values(id=2, batch_id=1, state="attempted", created_at=NOW))
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as conn:
        conn.execute(TABLES.chunk_lines.insert().values(chunk_id=2, line_id=1, position=0, live=True))


def test_a_receipt_has_one_successor_only(engine) -> None:
    filled(engine)
    with pytest.raises(sa.exc.IntegrityError), engines.writing(engine) as conn:
        conn.execute(
            TABLES.receipts.insert().values(
                genesis="0xg", line_id=1, attempt_id=1, body="{}", previous_hash="", hash="other", at=NOW
            )
        )


@pytest.mark.parametrize("nano", [0, -1])
def test_a_price_of_zero_cannot_be_written(engine, nano: int) -> None:
    row = {"at": NOW, "currency": "USD", "price_nano": nano, "source": "s", "words": "", "created_at": NOW}
    with pytest.raises(sa.exc.IntegrityError, match="above_zero"), engines.writing(engine) as conn:
        conn.execute(TABLES.prices.insert().values(**row))


def test_every_trigger_is_there_after_the_migrations(migrated) -> None:
    with engines.reading(migrated) as conn:
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if conn.dialect.name == "sqlite"
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        present = {row[0] for row in conn.exec_driver_sql(query)}
    assert set(triggers.names()) <= present


def test_the_migrations_make_just_the_tables_that_the_code_knows(migrated) -> None:
    with engines.reading(migrated) as conn:
        differences = compare_metadata(MigrationContext.configure(conn), METADATA)
    assert differences == []


def test_sqlite_is_set_to_keep_what_was_committed(tmp_path) -> None:
    with copies(False):
        engine = opening.open_engine(fresh("sqlite", tmp_path))
    with engines.reading(engine) as conn:
        for pragma, wanted in opening.PRAGMAS.items():
            assert conn.exec_driver_sql(f"PRAGMA {pragma}").scalar() == wanted
    assert (tmp_path / "data" / "valtrac.sqlite").stat().st_mode & 0o077 == 0


def test_no_update_is_lost_when_several_write_at_once(engine) -> None:
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


def test_a_database_belongs_to_one_chain(engine) -> None:
    with engines.writing(engine) as conn:
        engines.claim_identity(conn, "0xa", "devnet", TAO)
        engines.claim_identity(conn, "0xa", "devnet", TAO)
    with pytest.raises(Refused, match="another chain"), engines.writing(engine) as conn:
        engines.claim_identity(conn, "0xb", "finney", TAO)


def test_a_newer_database_is_refused(engine) -> None:
    with engines.writing(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match="newer version"):
        opening.open_engine(engine.url.render_as_string(hide_password=False))


def test_units_of_any_size_and_instants_in_utc_come_back_as_they_went_in(engine) -> None:
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


def test_a_server_that_forgets_what_was_committed_is_asked_to_wait_for_its_disk(tmp_path) -> None:
    engine = opening.open_engine(fresh("postgresql", tmp_path))
    try:
        with engines.reading(engine) as conn:
            assert conn.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"  # the server's own setting is off
    finally:
        engine.dispose()


def test_a_server_that_does_not_wait_for_its_disk_is_refused() -> None:
    class Stubborn:
        """A connection that says off, whatever it is told."""

        def cursor(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def execute(self, _):
            pass

        def fetchone(self):
            return ("off",)

    with pytest.raises(ValtracError, match="does not take synchronous_commit=on"):
        opening._waits_for_the_disk(Stubborn(), None)
