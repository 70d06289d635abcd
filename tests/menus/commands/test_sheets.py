"""Sheets by command: a bad one is told by row, field and fix, harmless on the screen, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from tests.homes import move_in
from tests.menus.commands.conftest import Call
from tests.payout_world import HOTKEY, World, address
from valtrac.people import users

GOOD = [f"u{number},{address(number)}" for number in range(1, 6)]
HEADER = "Name,Address1"
SNAPSHOTS = "hotkey,netuid,block,at,address,stake_rao,owner"
ENGINES = {"xlsx": "openpyxl", "ods": "odf"}
ROW = f"{HOTKEY},0,100,2026-11-20T12:00:00Z"


def written(path: Path, *rows: str) -> str:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([HEADER, *GOOD, f"mallory,{address(9)[:-1]}x"], ["row 7", "Address1", "checksum"]),
        ([HEADER, *GOOD, f"mallory,{address(2)}"], ["row 7", "Address1", "row 3"]),
        ([HEADER, *GOOD, f"mal\x1b[2Jlory,{address(9)}"], ["row 7", "Name", "·[2J"]),
        ([HEADER, f"[bold]x,{address(1)}", "[/bold],5nonsense"], ["row 3", "Address1"]),
        (["Address1", address(1)], ["Name"]),
        ([""], ["empty"]),
    ],
)
def test_a_bad_sheet_of_users_names_row_field_and_fix_and_changes_nothing(
    call: Call, world: World, tmp_path: Path, rows: list[str], said: list[str]
) -> None:
    found = call("users", "import", written(tmp_path / "people.csv", *rows), "--yes")
    assert (found.code, found.out) == (2, "")
    words = " ".join(found.err.split())
    assert all(word.lower() in words.lower() for word in said), found.err
    assert "fix" in words
    assert "\x1b" not in found.err
    assert call("users", "list", "--json").record == []


def test_a_sheet_of_200_megabytes_is_refused_at_once(call: Call, world: World, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    with open(path, "wb") as file:
        file.truncate(200_000_000)  # takes no room on the disk
    found = call("users", "import", str(path), "--yes")
    assert found.code == 2
    assert "MB" in found.err


def test_a_name_that_looks_like_markup_is_a_name(call: Call, world: World, tmp_path: Path) -> None:
    path = written(tmp_path / "people.csv", HEADER, f"bob [/oops],{address(1)}", f"[red]cat[/red],{address(2)}")
    found = call("users", "import", path, "--yes")
    assert found.code == 0
    assert "bob [/oops]: new from block 0" in found.err
    listed = call("users", "list").out
    assert "bob [/oops]" in listed
    assert "[red]cat[/red]" in listed
    world.day()
    assert "bob [/oops]" in call("payout", "plan", "--pool", "7").out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([SNAPSHOTS, f"{ROW},{address(1)},-5,0"], ["row 2", "stake_rao", "write only digits"]),
        ([SNAPSHOTS, f"{ROW},{address(1)},5,1", f"{ROW},{address(2)},5,1"], ["row 3", "owner", "set the others to 0"]),
        (
            [SNAPSHOTS, f"{ROW},{address(1)},5,0", f"{ROW},{address(1)},5,0"],
            ["row 3", "address", "take one of them out"],
        ),
        ([SNAPSHOTS + ",total_rao", f"{ROW},{address(1)},5,0,6"], ["row 2", "total_rao", "6 is not 5"]),
        ([SNAPSHOTS, f"{HOTKEY},0,100,noon,{address(1)},5,0"], ["row 2", "at", "like 2026-11-20T12:00:00Z"]),
        (["hotkey,netuid", "x,1"], ["column block is missing"]),
    ],
)
def test_a_bad_sheet_of_snapshots_names_row_column_and_fix_and_stores_nothing(
    call: Call, world: World, tmp_path: Path, rows: list[str], said: list[str]
) -> None:
    found = call("snapshot", "import", written(tmp_path / "stakes.csv", *rows))
    assert found.code == 2
    words = " ".join(found.err.split())
    assert all(word in words for word in said), found.err
    assert call("snapshot", "list", "--json").record == []


def test_snapshots_carried_to_a_fresh_home_give_the_same_plan_without_a_node(
    call: Call, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.people().day(4)
    plan = call("payout", "plan", "--pool", "12.5", "--offline", "--json").record
    assert call("snapshot", "export", str(tmp_path / "stakes.csv")).code == 0
    assert call("users", "export", str(tmp_path / "people.csv")).code == 0

    move_in(monkeypatch, tmp_path / "elsewhere", hotkeys=HOTKEY, chunk_size="3")
    imported = call("snapshot", "import", str(tmp_path / "stakes.csv"), "--json").record
    assert imported == {"new": 4, "known": 0, "readings": 16}
    assert call("snapshot", "import", str(tmp_path / "stakes.csv"), "--json").record["new"] == 0
    assert call("users", "import", str(tmp_path / "people.csv"), "--yes").code == 0
    assert call("payout", "plan", "--pool", "12.5", "--json").code == 3  # were they paid at the old home?
    assert call("payout", "begin-after", "0").code == 0
    again = call("payout", "plan", "--pool", "12.5", "--json")
    assert again.code == 0
    for name in ("pool", "total", "fee", "unassigned", "lines", "held", "excluded", "from_block", "to_block"):
        assert again.record[name] == plan[name], name


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_people_and_snapshots_are_the_same_after_a_way_out_and_in(
    call: Call, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    world.people().day(2)
    people, stakes = str(tmp_path / f"people.{ending}"), str(tmp_path / f"stakes.{ending}")
    listed = call("users", "list", "--json").record
    assert call("users", "export", people).code == 0
    assert call("snapshot", "export", stakes).code == 0
    assert call("users", "import", people, "--yes", "--json").record == {"new": [], "ended": [], "unchanged": 3}
    assert call("snapshot", "import", stakes, "--json").record["new"] == 0

    move_in(monkeypatch, tmp_path / "elsewhere", hotkeys=HOTKEY)
    assert call("users", "import", people, "--yes").code == 0
    assert call("snapshot", "import", stakes, "--json").record["new"] == 2
    names = ("name", "addresses", "payout")
    assert [[row[name] for name in names] for row in call("users", "list", "--json").record] == [
        [row[name] for name in names] for row in listed
    ]


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_a_bad_cell_of_a_workbook_names_row_column_and_fix_and_changes_nothing(
    call: Call, world: World, tmp_path: Path, ending: str
) -> None:
    path = tmp_path / f"people.{ending}"
    rows = [["Name", "Address1"], ["ann", address(1)], ["", ""], ["bob", "5nonsense"], [1 / 3, address(3)]]
    pandas.DataFrame(rows, dtype=object).to_excel(path, header=False, index=False, engine=ENGINES[ending])
    said = call("users", "import", str(path), "--yes", "--json")
    assert (said.code, said.out) == (2, "")
    first, second = said.problem["problems"]
    assert first.startswith("row 4, Address1: '5nonsense' is no address")
    assert second.startswith("row 5, Name: 0.333333333333333")
    assert "format it as text" in second
    assert call("users", "list", "--json").record == []


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_a_stake_that_a_spreadsheet_may_have_rounded_is_refused(
    call: Call, world: World, tmp_path: Path, ending: str
) -> None:
    cells = [HOTKEY, 0, 100, "2026-11-20T12:00:00Z", address(1), 1_234_567_890_123_456_789, 0]
    path = tmp_path / f"stakes.{ending}"
    pandas.DataFrame([SNAPSHOTS.split(","), cells], dtype=object).to_excel(
        path, header=False, index=False, engine=ENGINES[ending]
    )
    said = call("snapshot", "import", str(path), "--json")
    assert said.code == 2
    assert said.problem["problems"][0].startswith("row 2, stake_rao: 123456789012345")
    assert call("snapshot", "list", "--json").record == []


def test_all_subnets_together_need_the_price(call: Call, world: World, tmp_path: Path) -> None:
    world.people()
    rows = [f"{HOTKEY},1,100,2026-11-20T12:00:00Z,{address(1)},5000000000,0"]
    call("snapshot", "import", written(tmp_path / "stakes.csv", SNAPSHOTS, *rows))
    assert call("payout", "begin-after", "0").code == 0
    found = call("payout", "plan", "--pool", "1", "--netuid", "all")
    assert found.code in (2, 3)
    assert "price" in found.err
    assert call("snapshot", "list", "--json").record[0]["verified"] is False


def test_an_import_that_replaces_names_everybody_whom_it_ends(call: Call, world: World, tmp_path: Path) -> None:
    for number in range(1, 31):
        users.add(world.engine, f"user-{number:02}", [address(number)])
    sheet = written(tmp_path / "people.csv", "Name,Address1", f"user-01,{address(1)}", f"new,{address(40)}")
    said = call("users", "import", sheet, "--replace", "--yes")
    words = " ".join(said.err.split())
    assert "29 users that the file does not name would end:" in words
    assert all(f"user-{number:02}: ends from block" in words for number in range(2, 31))
    assert "29 ended" in words


def test_an_import_says_who_is_paid_elsewhere_than_the_file_begins(call: Call, world: World, tmp_path: Path) -> None:
    users.add(world.engine, "ann", [address(1), address(2)])
    sheet = written(tmp_path / "people.csv", "Name,Address1,Address2", f"ann,{address(2)},{address(1)}")
    said = call("users", "import", sheet, "--yes", "--json")
    assert said.record["paid_elsewhere"] == [{"user": "ann", "paid": address(1), "first": address(2)}]
    assert f"run.py users edit ann --payout {address(2)}" in " ".join(said.err.split())
