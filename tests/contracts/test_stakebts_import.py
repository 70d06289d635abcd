"""Coming over from StakeBTS: its list and its database, looked at first, then all or nothing, and once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import bts, sums
from valtrac.contracts import import_stakebts, listener, overview
from valtrac.contracts.store import audit_events
from valtrac.core.errors import BadInput
from valtrac.database.engine import reading

MONTH_MS = 86_400 * 1000 * 30
NEVER = 999_999_999


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def look(world: World, text: str) -> import_stakebts.Preview:
    return import_stakebts.preview(world.custodian, import_stakebts.read_text(text, world.settings.contract_terms))


def state(world: World) -> tuple[Any, ...]:
    with reading(world.engine) as conn:
        return world.contracts(), world.dues(), world.operations(), audit_events.search(conn, limit=1_000)


# -- the list --------------------------------------------------------------------------------------------------------


def test_the_documents_list_is_read_with_spaces_and_tabs(world: World) -> None:
    text = '''
        STAKES = """
            ann 1623177720000 25000 12 2
            bob\t1623176546500\t50000\t3\t2

        """
    '''
    ann, bob = import_stakebts.read_text(text, world.settings.contract_terms)
    assert (ann.name, ann.amount, ann.months, ann.months_paid, ms(ann.start_at)) == (
        "ann",
        bts(25_000),
        12,
        2,
        1623177720000,
    )
    assert (bob.name, bob.amount, bob.months, bob.months_paid, ms(bob.start_at)) == (
        "bob",
        bts(50_000),
        3,
        2,
        1623176546500,
    )
    paid = [(row.type, row.number) for row in ann.rows if row.state == "paid"]
    assert paid == [("agreement", 0), ("reward", 1), ("reward", 2)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ann 1623177720000 25000 12", "4 fields"),
        ("ann 1623177720000 25000 12 2 9", "6 fields"),
        ("ann yesterday 25000 12 2", "start_ms"),
        ("ann 1623177720 25000 12 2", "start_ms"),
        ("ann 1623177720000 -25000 12 2", "amount"),
        ("ann 1623177720000 25000.5 12 2", "amount"),
        ("ann 1623177720000 0 12 2", "amount"),
        ("ann 1623177720000 25000 5 2", "months"),
        ("ann 1623177720000 25000 3 4", "months_paid"),
        ("ann 1623177720000 25000 twelve 2", "months"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_field(world: World, line: str, said: str) -> None:
    text = f"bob 1623177720000 25000 12 2\n{line}\n"
    with pytest.raises(BadInput) as error:
        import_stakebts.read_text(text, world.settings.contract_terms)
    (problem,) = error.value.problems
    assert problem.startswith("line 2: ")
    assert said in problem


def test_every_bad_line_is_named_at_once(world: World) -> None:
    with pytest.raises(BadInput) as error:
        import_stakebts.read_text("ann 1 2\nann x 25000 3 0\nbob 1623177720000 1 7 0", world.settings.contract_terms)
    assert [problem.split(":")[0] for problem in error.value.problems] == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing"])
def test_an_empty_list_is_refused(world: World, text: str) -> None:
    with pytest.raises(BadInput, match="no contract"):
        import_stakebts.read_text(text, world.settings.contract_terms)


def test_accounts_that_the_chain_does_not_know_are_all_named(world: World) -> None:
    before = state(world)
    with pytest.raises(BadInput) as error:
        look(world, "nobody 1623177720000 25000 3 0\nann 1623177720000 25000 3 0\nnoone 1623177720000 25000 3 0")
    assert [problem.split()[-1] for problem in error.value.problems] == ["nobody", "noone"]
    assert state(world) == before


def test_looking_changes_nothing_and_importing_twice_changes_nothing_more(world: World) -> None:
    start = ms(world.now) - 2 * MONTH_MS - 1_000
    text = f"ann {start} 25000 12 1\nann {start} 25000 12 2\nbob {start} 50000 3 2"
    before = state(world)
    first = look(world, text)
    assert (first.new, first.past_due) == (3, bts(2_000))
    assert state(world) == before
    assert import_stakebts.apply(world.custodian, first) == (3, 0, 0)
    after = state(world)
    assert look(world, text).new == 0
    assert import_stakebts.apply(world.custodian, first) == (0, 0, 0)
    assert import_stakebts.apply(world.custodian, look(world, text)) == (0, 0, 0)
    assert state(world) == after
    world.round()
    assert (sums(world, "ann"), sums(world, "bob")) == ([bts(2_000)], [])


def test_rewards_are_marked_paid_on_a_contract_that_was_found_on_the_chain_already(world: World) -> None:
    """D19: on that one, and on no other of the same name."""
    operation = world.take("ann", 25_000, "six_months")
    world.take("ann", 50_000, "six_months")
    world.round()
    world.days(61)
    world.listen()
    found = look(world, f"ann {ms(operation.at)} 25000 6 2")
    assert [step.what for step in found.steps] == ["mark"]
    assert import_stakebts.apply(world.custodian, found) == (0, 2, 0)
    assert import_stakebts.apply(world.custodian, found) == (0, 0, 0)
    first, second = world.contracts()
    rows = {
        one.id: [row.state for row in world.dues(type_="reward") if row.contract_id == one.id]
        for one in (first, second)
    }
    assert rows == {first.id: ["paid", "paid", *["pending"] * 4], second.id: ["pending"] * 6}
    world.round()
    assert sums(world, "ann") == [bts(1), bts(1), bts(4_000), bts(4_000)]


def test_what_was_paid_here_and_there_is_not_marked_but_told(world: World) -> None:
    operation = world.take("ann", 25_000, "six_months")
    world.days(31)
    world.round()
    found = look(world, f"ann {ms(operation.at)} 25000 6 0")
    assert [step.what for step in found.steps] == ["known"]
    assert any("pending there and confirmed here" in words for words in found.differences)


def test_the_listener_links_an_imported_contract_in_the_place_of_making_a_second(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(5)
    listener.start_from(world.custodian, None)
    start = ms(world.now) - 60_000
    assert import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0")) == (1, 0, 0)
    listener.start_from(world.custodian, 60_700_001)
    world.round()
    assert [one.kind for one in world.operations()] == ["known"]
    (one,) = overview.listed(world.engine)
    assert (one.state, sums(world, "ann")) == ("open", [])
    world.take("ann", 25_000, "three_months")
    assert len(world.contracts()) == 2  # another deposit is another contract
    world.take("ann", 1, "stop")
    world.round()
    assert bts(2 * 21_250) in sums(world, "ann")


# -- the database ------------------------------------------------------------------------------------------------------

STAKES = {
    "with places": "nominator TEXT, digital_asset TEXT, amount INTEGER, type TEXT, nonce INTEGER, start INTEGER,"
    " due INTEGER, processed INTEGER, status TEXT, block_start INTEGER, trx_idx INTEGER, ops_idx INTEGER,"
    " block_processed INTEGER, number INTEGER",
    "without": "nominator TEXT, digital_asset TEXT, amount INTEGER, type TEXT, start INTEGER, due INTEGER,"
    " processed INTEGER, status TEXT, block_start INTEGER, block_processed INTEGER, number INTEGER",
}


def database(
    path: Path,
    start: int,
    *,
    layout: str = "with places",
    changes: dict[tuple[str, int], str] | None = None,
    block: int = 60_000_123,
    months: int = 3,
    leave_out: str = "",
) -> Path:
    """StakeBTS's file with one contract of ann's. changes: (type, number) -> status."""
    changes = changes or {}
    rows = [
        (f"agreement_{months}", 0, 1, 0, "paid"),
        ("base_amount", 0, 25_000, months, "pending"),
        ("penalty", 0, -3_750, months, "pending"),
        *(("reward", number, 2_000, number, "pending") for number in range(1, months + 1)),
    ]
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"CREATE TABLE IF NOT EXISTS stakes ({STAKES[layout]})")
        db.execute("CREATE TABLE IF NOT EXISTS receipts (nonce INTEGER, now INTEGER, msg TEXT)")
        name = "block_num" if layout == "with places" else "block"
        db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({name} INTEGER)")
        db.execute(f"INSERT INTO {name} VALUES (60000500)")
        for type_, number, amount, month, status in rows:
            if type_ == leave_out:
                continue
            given = {
                "nominator": "ann",
                "digital_asset": "BTS",
                "amount": amount,
                "type": type_,
                "start": start,
                "due": start + month * MONTH_MS,
                "processed": 0,
                "status": changes.get((type_, number), status),
                "block_start": block,
                "block_processed": NEVER,
                "number": number,
            }
            if layout == "with places":
                given |= {"nonce": start + 7, "trx_idx": 4, "ops_idx": 1}
            db.execute(
                f"INSERT INTO stakes ({','.join(given)}) VALUES ({','.join('?' * len(given))})", tuple(given.values())
            )
        for place in range(3):
            db.execute("INSERT INTO receipts VALUES (?, ?, ?)", (start, start + place, json.dumps({"warn": place})))
        db.commit()
    return path


def look_at(world: World, path: Path) -> import_stakebts.Preview:
    found, notes, receipts, read_to = import_stakebts.read_database(path)
    return import_stakebts.preview(world.custodian, found, notes=notes, receipts=receipts, read_to=read_to)


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


# -- the same contract from two sources, and what is not to be believed ------------------------------------------------


def test_a_contract_of_a_list_is_known_again_in_the_database_whether_or_not_it_was_found_on_the_chain(
    world: World, tmp_path: Path
) -> None:
    start = ms(world.now) - 5 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    found = look_at(world, database(tmp_path / "old.db", start, changes={("reward", 1): "confirmed"}))
    assert [step.what for step in found.steps] == ["mark"]
    import_stakebts.apply(world.custodian, found)
    assert len(world.contracts()) == 1


def test_a_deposit_that_was_listed_and_read_is_known_again_in_the_database(world: World, tmp_path: Path) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(5)
    listener.start_from(world.custodian, None)
    import_stakebts.apply(world.custodian, look(world, f"ann {ms(world.now) - 60_000} 25000 3 0"))
    listener.start_from(world.custodian, 60_700_001)
    world.listen()
    (linked,) = world.operations()
    path = database(tmp_path / "old.db", ms(linked.at), block=linked.block)
    assert [step.what for step in look_at(world, path).steps] == ["known"]


@pytest.mark.parametrize(("shift_ms", "months"), [(1_000, 3), (0, 6), (36 * 3_600_000, 3)])
def test_what_is_much_like_a_contract_that_is_here_is_told(world: World, shift_ms: int, months: int) -> None:
    start = ms(world.now) - 5 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    found = look(world, f"ann {start + shift_ms} 25000 {months} 0")
    assert found.new == 1
    (words,) = found.differences
    assert "much like contract #1" in words and "for 3 months since" in words


def test_an_old_stop_does_not_end_a_contract_of_a_list_that_began_later(world: World) -> None:
    world.send("ann", 1, "stop")
    world.days(20)
    listener.start_from(world.custodian, None)
    start = ms(world.now) - 5 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    listener.start_from(world.custodian, 60_700_001)
    world.round()
    assert [one.state for one in overview.listed(world.engine)] == ["open"]
    world.take("ann", 1, "stop")
    assert [one.state for one in overview.listed(world.engine)] == ["ended"]


def test_a_contract_of_a_list_is_called_by_what_it_is(world: World) -> None:
    start = ms(world.now) - 31 * 86_400_000
    import_stakebts.apply(world.custodian, look(world, f"ann {start} 25000 3 0"))
    world.round()
    (paid,) = world.dues("confirmed")
    assert "stake contract of 25000 BTS since 20" in paid.memo
    assert "list:" not in paid.memo


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


def test_more_bts_than_there_are_cannot_be_listed(world: World) -> None:
    with pytest.raises(BadInput, match="all there are"):
        look(world, f"ann {ms(world.now)} 3600570503 3 0")
