"""Coming over from StakeBTS with its database: looked at first, then all or nothing, and once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.contracts.stakebts_files import MONTH_MS, STAKES, database, look_at, ms, state
from tests.contracts_world import World
from tests.custody_world import bts, sums
from valtrac.contracts import import_stakebts, listener, overview
from valtrac.contracts.store import audit_events
from valtrac.core.errors import BadInput
from valtrac.database.engine import reading


@pytest.mark.parametrize("layout", list(STAKES))
def test_a_database_comes_over_once_with_what_was_paid_and_with_its_receipts(
    world: World, tmp_path: Path, layout: str
) -> None:
    start = ms(world.now) - 2 * MONTH_MS - 1_000
    path = database(tmp_path / "old.db", start, layout=layout, changes={("reward", 1): "confirmed"})
    raw = path.read_bytes()
    before = state(world)
    found = look_at(world, path)
    assert (found.new, found.past_due, found.read_to) == (1, bts(2_000), 60_000_500)
    assert state(world) == before
    assert import_stakebts.apply(world.custodian, found) == (1, 0, 3)
    assert import_stakebts.apply(world.custodian, look_at(world, path)) == (0, 0, 0)
    assert path.read_bytes() == raw
    (contract,) = world.contracts()
    place = (60_000_123, 4, 1) if layout == "with places" else (60_000_123, 0, 0)
    assert ((contract.block, contract.trx, contract.op), contract.reward_bps, contract.penalty_bps) == (
        place,
        800,
        1500,
    )
    assert (contract.month_ms, ms(contract.start_at)) == (MONTH_MS, start)
    with reading(world.engine) as conn:
        assert audit_events.imported(conn) == {
            (start, start + place, json.dumps({"warn": place})) for place in range(3)
        }
    world.round()
    assert sums(world, "ann") == [bts(2_000)]  # the second reward; the first was paid there
    world.take("ann", 1, "stop")
    world.round()
    assert sums(world, "ann") == [bts(2_000), bts(21_250)]


def test_rows_that_were_being_paid_come_as_delinquent_and_are_listed_and_not_paid(world: World, tmp_path: Path) -> None:
    start = ms(world.now) - 2 * MONTH_MS - 1_000
    changes = {("reward", 1): "paid", ("reward", 2): "processing"}
    found = look_at(world, database(tmp_path / "old.db", start, changes=changes))
    assert any("reward 2 was being paid" in words for words in found.differences)
    assert any("reward 1 is marked paid and was never confirmed" in words for words in found.differences)
    assert found.past_due == 0
    import_stakebts.apply(world.custodian, found)
    world.round()
    assert sums(world, "ann") == []
    assert [(one.type, one.number) for one in world.dues("delinquent")] == [("reward", 2)]


def test_a_contract_that_was_stopped_there_owes_nothing_here(world: World, tmp_path: Path) -> None:
    start = ms(world.now) - 100 * 86_400_000
    over = {("base_amount", 0): "confirmed", ("penalty", 0): "confirmed"}
    over |= {("reward", number): "aborted" for number in (1, 2, 3)}
    path = database(tmp_path / "old.db", start, changes=over)
    import_stakebts.apply(world.custodian, look_at(world, path))
    world.round()
    assert sums(world, "ann") == []
    assert overview.liabilities(world.engine, world.now).gross == 0
    world.take("ann", 1, "stop")
    world.round()
    assert sums(world, "ann") == []


@pytest.mark.parametrize("leave_out", ["base_amount", "penalty", "agreement_3"])
def test_a_contract_that_is_not_whole_is_named_and_nothing_is_imported(
    world: World, tmp_path: Path, leave_out: str
) -> None:
    path = database(tmp_path / "old.db", ms(world.now), leave_out=leave_out)
    with pytest.raises(BadInput) as error:
        look_at(world, path)
    assert "ann in block 60000123:4:1" in error.value.problems[0]
    assert world.contracts() == []


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE things (id INTEGER)")
    text = tmp_path / "text.db"
    text.write_text("ann 1623177720000 25000 12 2\n" * 100)
    for path in (other, text, tmp_path / "missing.db"):
        with pytest.raises(BadInput):
            import_stakebts.read_database(path)
    assert not (tmp_path / "missing.db").exists()


def test_replaying_the_block_of_an_imported_contract_makes_no_second_one(world: World, tmp_path: Path) -> None:
    operation = world.take("bob", 99, "hello")  # only to learn where the next one will be
    world.send("ann", 25_000, "three_months")
    world.blocks(5)
    head = world.chain.finalized().number
    (block,) = [
        found
        for found in world.chain.transfers(operation.block + 1, head, world.custodian.account.id)
        if found.transfers
    ]
    listener.start_from(world.custodian, None)
    path = database(tmp_path / "old.db", ms(block.at), block=block.number)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE stakes SET trx_idx = 0, ops_idx = 0")
        db.commit()
    assert import_stakebts.apply(world.custodian, look_at(world, path))[0] == 1
    listener.start_from(world.custodian, 60_700_001)
    world.round()
    assert len(world.contracts()) == 1
    assert sums(world, "ann") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("amount = 10000000000 WHERE type = 'base_amount'", "its principal is"),
        ("amount = 25000.9 WHERE type = 'base_amount'", "no whole number"),
        ("amount = 9e999 WHERE type = 'reward'", "no whole number"),
        ("amount = -2000 WHERE type = 'reward'", "rewards"),
        ("amount = 30000 WHERE type = 'reward'", "above its principal"),
        ("amount = -30000 WHERE type = 'penalty'", "its penalty is"),
        ("number = 1 WHERE type = 'reward' AND number = 2", "numbered"),
        ("number = 9 WHERE type = 'reward' AND number = 3", "numbered"),
        ("due = 0 WHERE type = 'reward' AND number = 1", "not a time"),
        ("due = start WHERE type = 'reward' AND number = 1", "one after the other"),
        ("start = 1000000000000000000 WHERE number = 0", "no whole number"),
        ("digital_asset = 'USD'", "not in BTS"),
        ("type = 'agreement_999' WHERE type = 'agreement_3'", "999 months"),
        ("status = 'premature' WHERE type = 'base_amount'", "rewards are pending"),
        ("status = '\x1b[31mPAID[/]' WHERE type = 'reward'", "with status"),
    ],
)
def test_a_database_that_says_what_cannot_be_is_refused_by_contract_and_reason(
    world: World, tmp_path: Path, change: str, said: str
) -> None:
    path = database(tmp_path / "old.db", ms(world.now) - 5 * 86_400_000)
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE stakes SET {change}")
        db.commit()
    with pytest.raises(BadInput) as error:
        import_stakebts.apply(world.custodian, look_at(world, path))
    assert "ann in block 60000123:4:1" in error.value.problems[0] and said in error.value.problems[0]
    assert world.contracts() == []
