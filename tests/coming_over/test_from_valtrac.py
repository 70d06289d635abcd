"""An old ValTrac comes over: each row changed or refused is named, twice changes nothing, and it pays the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tests.coming_over.old_valtrac import FEE_TAO, OWNER_KEY, OldValTrac, grown, usual
from tests.payout_world import HOTKEY, TAO, address
from valtrac.coming_over import from_valtrac, stake_log
from valtrac.coming_over.from_valtrac import Part, Report
from valtrac.core.errors import BadInput
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.payouts import drafts
from valtrac.people import referrals, users
from valtrac.reports.store import prices
from valtrac.snapshots.store import rulings
from valtrac.snapshots.store import snapshots as stored


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_engine(tmp_path / "new.sqlite")
    yield made
    made.dispose()


def over(engine: sa.Engine, folder: Path, *, dry: bool = False, head: int | None = None) -> Report:
    return from_valtrac.come_over(engine, from_valtrac.files_in(folder), UTC, dry=dry, head=head)


def part(report: Report, name: str) -> Part:
    return next(part for part in report.parts if part.name == name)


def everything(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with reading(engine) as conn:
        tables = sa.inspect(conn).get_table_names()
        return {name: [tuple(row) for row in conn.exec_driver_sql(f'SELECT * FROM "{name}"')] for name in tables}


def test_all_of_it_is_here_afterwards(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    report = over(engine, old.write(tmp_path / "old"))
    assert [(p.name, p.taken, p.known, p.changed, p.refused) for p in report.parts] == [
        ("delegate_info.log", 30, 0, [], []),
        ("user_data.json", 5, 0, [], []),
        ("referral_layers.csv", 4, 0, [], []),
        ("payout_log.csv, its payments", 1, 0, [], []),
        ("payout_log.csv", 1, 0, [], []),
    ]
    with reading(engine) as conn:
        loaded = stored.load(conn, HOTKEY, 0, 0, 2**53)
        assert rulings.paid_before(conn, HOTKEY) == old.block(9)
        told = prices.exactly(conn, "USD", [snapshot.at for snapshot in loaded])
    assert [dict(snapshot.stakes) for snapshot in loaded] == old.stakes
    assert {(snapshot.owner, snapshot.owner_stake) for snapshot in loaded} == {(address(OWNER_KEY), old.own)}
    assert all(snapshot.verified and snapshot.take_raw == 11_796 for snapshot in loaded)
    assert loaded[1].at == datetime(2023, 11, 20, 13, 0, tzinfo=UTC)
    assert {price.price_nano for price in told.values()} == {231_500_000_000}
    assert len(told) == 30
    assert {view.name: list(view.addresses) for view in users.list_users(engine)} == old.users
    assert {(view.referrer, view.referee, view.rate_bps) for view in referrals.list_referrals(engine)} == {
        ("ann", "bob", 2500),
        ("ann", "cleo", 2500),
        ("cleo", "dän", 1000),
        ("dän", "eve, the 5th", 0),
    }


def test_a_dry_run_says_the_same_and_changes_nothing_and_a_second_time_neither(
    engine: sa.Engine, tmp_path: Path
) -> None:
    folder = usual().write(tmp_path / "old")
    before = everything(engine)
    said = over(engine, folder, dry=True)
    assert everything(engine) == before
    assert said == over(engine, folder)
    after = everything(engine)
    again = over(engine, folder)
    assert everything(engine) == after
    assert not again.changes
    assert [part.known for part in again.parts] == [30, 5, 4, 1, 1]


def test_the_first_plan_pays_what_valtrac_would_have_paid(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    over(engine, old.write(tmp_path / "old"))
    asked = drafts.Request(HOTKEY, 25 * TAO, address(OWNER_KEY), fee=0)
    batch = drafts.draft(engine, asked, None)
    assert (batch.from_block, batch.to_block) == (old.block(9) + 1, old.block(29))
    paid = {line.user: line.amount for line in batch.payout.lines}
    wanted = old.would_pay(25.0, range(10, 30))
    assert set(paid) == set(wanted)
    for name, tao in wanted.items():
        assert abs(paid[name] - (tao + FEE_TAO) * TAO) <= 2, name


def test_it_goes_on_where_it_was_stopped(engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stake_log, "AT_ONCE", 4)
    files = from_valtrac.files_in(usual().write(tmp_path / "old"))

    def stops(done: int, total: int, words: str) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        from_valtrac.come_over(engine, files, UTC, tell=stops)
    log = part(from_valtrac.come_over(engine, files, UTC), "delegate_info.log")
    assert 0 < log.known < 30
    assert log.known + log.taken == 30


BROKEN = [
    ({"delegate_stake": None}, "delegate_stake: None is no amount of TAO"),
    ({"total_stake": 1.0}, "its stakes sum to"),
    ({"nominators": [["5Foo", 1.0]]}, "'5Foo' is not an address"),
    ({"nominators": "many"}, "nominators is no list"),
    ({"hotkey_ss58": "5Foo"}, "hotkey_ss58 is not the hotkey at its beginning"),
    ({"owner_ss58": None}, "owner_ss58 is not an address"),
    ({"delegate_stake": -1}, "no amount of TAO that there can be"),
    ({"delegate_stake": True}, "delegate_stake: True is no amount of TAO"),
    ({"delegate_stake": float("nan")}, "is no amount of TAO"),
    ({"delegate_stake": 3.5}, "delegate_stake is not what nominators says of the owner"),
]


@pytest.mark.parametrize(("changes", "why"), BROKEN, ids=[why for _, why in BROKEN])
def test_a_line_that_cannot_be_is_refused_for_itself(
    engine: sa.Engine, tmp_path: Path, changes: dict[str, object], why: str
) -> None:
    old = usual()
    folder = old.write(tmp_path / "old")
    lines = old.log().splitlines()
    lines[5] = old.line(2, **changes)
    (folder / "logs" / "delegate_info.log").write_text("\n".join(lines))
    log = part(over(engine, folder), "delegate_info.log")
    assert log.taken == 29
    (said,) = log.refused
    assert said.startswith("row 6: ")
    assert why in said


def test_torn_and_foreign_lines_are_passed_over_or_named(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    folder = old.write(tmp_path / "old")
    whole = old.line(3)
    path = folder / "logs" / "delegate_info.log"
    path.write_bytes(
        b"\xff\xfe garbage\n2023 - ERROR - no connection\n"
        + old.price(0, "None").encode()
        + b"\n"
        + old.line(0).encode()
        + b"\n"
        + old.price(1, "\x1b[2Jlots").encode()
        + b"\n"
        + old.line(1).encode()
        + b"\n"
        + old.price(0).encode()
        + b"\n"
        + old.line(2).encode()
        + b"\n"
        + old.line(2).encode()
        + b"\n"
        + whole[: len(whole) // 2].encode()
    )  # fmt: keep
    log = part(over(engine, folder), "delegate_info.log")
    assert (log.taken, log.known) == (3, 1)
    assert log.refused == ["row 10: its figures are no whole JSON: the line may have been cut off"]
    (changed,) = log.changed
    assert changed.startswith("row 6: taken without its price, ")
    assert "\x1b" not in changed
    assert log.words == "0 prices in USD"


def test_a_line_without_end_is_not_read_into_memory(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = usual()
    monkeypatch.setattr(stake_log, "LONGEST_LINE", 10_000)
    folder = old.write(tmp_path / "old")
    path = folder / "logs" / "delegate_info.log"
    path.write_text("x" * 25_000 + "\n" + old.line(0) + "\n")
    log = part(over(engine, folder), "delegate_info.log")
    assert log.refused == ["row 1: it is longer than 0 MB"]
    assert log.taken == 1


def test_a_block_far_beyond_the_chain_is_refused(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    log = part(over(engine, old.write(tmp_path / "old"), head=old.block(27)), "delegate_info.log")
    assert (log.taken, len(log.refused)) == (28, 2)
    assert "lies far beyond the chain's last block" in log.refused[0]


def test_the_clock_of_the_old_machine_is_asked_for(engine: sa.Engine, tmp_path: Path) -> None:
    files = from_valtrac.files_in(usual().write(tmp_path / "old"))
    from_valtrac.come_over(engine, files, ZoneInfo("Europe/Berlin"))
    with reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 2**53)[0].at == datetime(2023, 11, 20, 11, 0, tzinfo=UTC)


def test_what_has_no_place_in_a_tree_is_named(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    old.layers += [
        ("L1", "nobody", "0.5", ["ann"]),
        ("L2", "bob", "0.5", ["cleo", "gone"]),
        ("L4", "eve, the 5th", "0.12345", ["ann"]),
        ("L4", "dän", "0.07", ["bob"]),
    ]
    sheet = part(over(engine, old.write(tmp_path / "old")), "referral_layers.csv")
    assert sheet.taken == 4
    assert sheet.refused == [
        "row 5: 'nobody' is no user; ValTrac passes over it too",
        "row 6: 'cleo' is referred by 'ann' already (row 2); a referee has one referrer and one rate here",
        "row 6: the referee 'gone' is no user; ValTrac passes over it too",
        "row 7: that closes a circle: ann -> cleo -> dän -> eve, the 5th -> ann",
        "row 8: 'bob' is referred by 'ann' already (row 2); a referee has one referrer and one rate here",
    ]
    assert "row 7: a tax of 0.12345 is taken as 0.1234, a whole number of hundredths of a percent" in sheet.changed


def test_a_referrer_with_two_rates_keeps_both(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    old.layers = [("L1", "ann", "0.25", ["bob"]), ("L2", "ann", "0.5", ["cleo"])]
    over(engine, old.write(tmp_path / "old"))
    assert {(view.referee, view.rate_bps, view.own_rate) for view in referrals.list_referrals(engine)} == {
        ("bob", 2500, False),
        ("cleo", 5000, True),
    }


def test_ten_layers_were_paid_in_another_order_and_it_says_whose(engine: sa.Engine, tmp_path: Path) -> None:
    names = [f"u{n}" for n in range(12)]
    old = OldValTrac({name: [address(n + 1)] for n, name in enumerate(names)}, stakes=grown(12, 3))
    old.layers = [(f"L{n}", names[n - 1], "0.5", [names[n]]) for n in range(1, 12)]
    sheet = part(over(engine, old.write(tmp_path / "old")), "referral_layers.csv")
    assert sheet.taken == 11
    assert not sheet.refused
    old.layers = old.layers[:9]
    straight = part(over(engine, old.write(tmp_path / "nine"), dry=True), "referral_layers.csv")
    assert straight.changed == []
    assert sheet.changed  # as text L10 and L11 come before L2, so that they were taxed near the end
    assert any(words.startswith("u9 ends with ") for words in sheet.changed), sheet.changed


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("data/user_data.json", '{"ann": ["5Foo"]}', "row 1, Address1: '5Foo' is no address"),
        ("data/user_data.json", '{"ann": "5Foo"}', "is no list of addresses"),
        ("data/user_data.json", '{"ann": [], "ann": []}', "stands in row 1 already"),
        ("data/user_data.json", "[1]", "is no list of users"),
        ("data/user_data.json", '{"ann": [', "is no JSON in UTF-8"),
        ("data/referral_layers.csv", "Layer,Referrer,Tax\nL1,ann,1.5,bob\n", "row 2, Tax: '1.5' is no fraction"),
        ("data/referral_layers.csv", "Layer,Referrer,Tax\nfirst,ann,nan,bob\n", "row 2, Layer: 'first' is no layer"),
        ("data/referral_layers.csv", "Name,Address1\n", "does not begin with Layer"),
        ("logs/payout_log.csv", "Username,End Block\nann,soon\n", "'soon' is not the number of a block"),
    ],
)
def test_a_small_file_that_cannot_be_read_stops_all_of_it(
    engine: sa.Engine, tmp_path: Path, name: str, text: str, said: str
) -> None:
    folder = usual().write(tmp_path / "old")
    (folder / name).write_text(text, encoding="utf-8")
    before = everything(engine)
    with pytest.raises(BadInput) as refused:
        over(engine, folder)
    assert said in " ".join([refused.value.what, *refused.value.problems])
    assert everything(engine) == before


def test_files_are_found_in_the_folder_itself_too_and_never_twice(engine: sa.Engine, tmp_path: Path) -> None:
    folder = usual().write(tmp_path / "old")
    (folder / "data" / "user_data.json").rename(folder / "user_data.json")
    assert from_valtrac.files_in(folder).users == folder / "user_data.json"
    (folder / "data" / "user_data.json").write_text("{}")
    with pytest.raises(BadInput, match="is there twice"):
        from_valtrac.files_in(folder)
    with pytest.raises(BadInput, match="nothing of ValTrac"):
        from_valtrac.files_in(tmp_path)
    with pytest.raises(BadInput, match="is no folder"):
        from_valtrac.files_in(folder / "user_data.json")


def test_the_sheet_of_users_stands_in_for_the_list(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    folder = old.write(tmp_path / "old")
    (folder / "data" / "user_data.json").unlink()
    (folder / "data" / "my users.csv").write_text(f"Name, Address1,Address2\nann,{address(1)},\n")
    report = over(engine, folder)
    assert part(report, "my users.csv").taken == 1
    assert len(part(report, "referral_layers.csv").refused) == 4


def test_payments_beyond_the_last_snapshot_or_of_nobody_are_left_to_the_owner(
    engine: sa.Engine, tmp_path: Path
) -> None:
    old = usual()
    old.paid[0] = (*old.paid[0][:4], old.block(500), "12.5")
    folder = old.write(tmp_path / "old")
    (said,) = part(over(engine, folder), "payout_log.csv").refused
    assert f"paid up to block {old.block(500)}, after the last snapshot" in said
    (folder / "logs" / "delegate_info.log").unlink()
    (said,) = part(over(engine, folder), "payout_log.csv").refused
    assert "told by the log of stakes alone" in said


def test_the_owners_own_word_on_what_was_paid_stays(engine: sa.Engine, tmp_path: Path) -> None:
    from valtrac.snapshots import rulings as words

    old = usual()
    folder = old.write(tmp_path / "old")
    (folder / "logs" / "payout_log.csv").rename(tmp_path / "kept.csv")
    over(engine, folder)
    words.begin_after(engine, HOTKEY, old.block(3), "I know it")
    (tmp_path / "kept.csv").rename(folder / "logs" / "payout_log.csv")
    (said,) = part(over(engine, folder), "payout_log.csv").refused
    assert f"up to {old.block(3)} were paid, and the log ends with {old.block(9)}" in said
    with reading(engine) as conn:
        assert rulings.paid_before(conn, HOTKEY) == old.block(3)


def test_user_data_is_read_by_users_import_too(engine: sa.Engine, tmp_path: Path) -> None:
    from valtrac.people import user_import

    path = tmp_path / "user_data.json"
    path.write_text(json.dumps(usual().users))
    user_import.apply_import(engine, user_import.preview_import(engine, path))
    assert len(users.list_users(engine)) == 5


def test_what_valtrac_paid_stands_in_statements_at_its_time_and_worth(engine: sa.Engine, tmp_path: Path) -> None:
    from valtrac.reports import statements
    from valtrac.settings import Settings

    old = usual()
    old.paid = [
        ("ann", address(1), "1.234567891", old.block(0), old.block(9), "12.5"),
        ("ann", address(1), "1.44e-07", old.block(0), old.block(9), "12.5"),
        ("ann", address(1), "1.44e-07", old.block(0), old.block(9), "12.5"),
        ("gone", address(77), "2", old.block(0), old.block(9), "12.5"),
        ("bob", address(3), "-1.44e-07", old.block(0), old.block(9), "12.5"),
        ("bob", "5Foo", "1", old.block(0), old.block(9), "12.5"),
    ]
    folder = old.write(tmp_path / "old")
    paid = part(over(engine, folder), "payout_log.csv, its payments")
    assert (paid.taken, paid.refused) == (
        4,
        ["row 6: '-1.44e-07' is no amount that was paid", "row 7: '5Foo' is not an address"],
    )
    assert part(over(engine, folder), "payout_log.csv, its payments").known == 4
    year = (datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    made = {statement.name: statement for statement in statements.every(engine, Settings(), *year)}
    assert {name: statement.total for name, statement in made.items()} == {
        "ann": 1_234_567_891 + 2 * 144,
        address(77): 2 * TAO,
    }
    first = made["ann"].payments[0]
    assert (first.at, first.batch, first.told_by) == (datetime(2023, 11, 20, 21, 0, tzinfo=UTC), 0, "ValTrac's log")
    assert first.worth == 28_580
    path = tmp_path / "all.csv"
    assert statements.write_table(path, list(made.values())) == 4
    assert "as ValTrac's log has it" in path.read_text()


def test_an_old_one_that_went_on_paying_is_told_with_both_blocks(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    over(engine, old.write(tmp_path / "old"))
    old.paid.append(("ann", address(1), "1", old.block(10), old.block(20), "12.5"))
    again = over(engine, old.write(tmp_path / "old"))
    assert part(again, "payout_log.csv, its payments").taken == 1
    paid = part(again, "payout_log.csv")
    assert (paid.taken, paid.known, paid.words) == (0, 0, f"its last payment is up to block {old.block(20)}")
    assert f"run.py payout begin-after {old.block(20)} changes it" in paid.refused[0]


def test_where_the_log_is_of_several_hotkeys_nothing_is_said_for_any(engine: sa.Engine, tmp_path: Path) -> None:
    old = usual()
    folder = old.write(tmp_path / "old")
    other = old.line(2).replace(HOTKEY, address(4_000))
    with open(folder / "logs" / "delegate_info.log", "a") as log:
        log.write(other + "\n")
    (said,) = part(over(engine, folder), "payout_log.csv").refused
    assert HOTKEY in said and address(4_000) in said
    with reading(engine) as conn:
        assert rulings.paid_before(conn, HOTKEY) is None


@pytest.mark.parametrize("number", ["1e99999999999999999999", "1e-99999999999999999999", "[" * 5_000])
def test_a_number_beyond_all_numbers_is_refused_with_its_line(engine: sa.Engine, tmp_path: Path, number: str) -> None:
    old = usual()
    folder = old.write(tmp_path / "old")
    line = old.line(0).replace('"total_stake": ', f'"total_stake": {number}')
    (folder / "logs" / "delegate_info.log").write_text(line + "\n" + old.line(1) + "\n")
    log = part(over(engine, folder), "delegate_info.log")
    assert (log.taken, len(log.refused)) == (1, 1)


def test_what_is_no_file_is_not_opened(engine: sa.Engine, tmp_path: Path) -> None:
    import os

    folder = usual().write(tmp_path / "old")
    (folder / "data" / "user_data.json").unlink()
    os.mkfifo(folder / "data" / "x.csv")
    (folder / "data" / "y.csv").mkdir()
    assert from_valtrac.files_in(folder).users is None


def test_thousands_of_equal_rows_of_layers_are_reckoned_at_once() -> None:
    from valtrac.coming_over.model import layers

    rows = [layers.LayerRow(n, "L1", "ann", 3_333, ("bob",)) for n in range(20_000)]
    assert layers.old_parts(rows, ["ann", "bob"])["bob"] < 1e-20


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("ann", "1e-10", 1, 2), "'1e-10' is no amount"),
        (("ann", "1_000", 1, 2), "'1_000' is no amount"),
        (("ann", "١٢", 1, 2), "is no amount"),
        (("", "1", 1, 2), "'' is no name"),
        (("a\x1b[31m", "1", 1, 2), "is no name"),
        (("ann", "1", 3, 2), "its first block, 3, is after its last, 2"),
    ],
)
def test_an_old_payment_that_cannot_have_been_is_refused(
    engine: sa.Engine, tmp_path: Path, row: tuple[str, str, int, int], why: str
) -> None:
    old = usual()
    name, amount, first, last = row
    old.paid.append((name, address(1), amount, first, last, "12.5"))
    paid = part(over(engine, old.write(tmp_path / "old")), "payout_log.csv, its payments")
    assert paid.taken == 1
    assert why in paid.refused[0]
