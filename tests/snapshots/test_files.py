"""Snapshots in files: what is exported imports as the same, and a bad row is named and stores nothing."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.payout_world import HOTKEY, World, address
from valtrac.core.errors import BadInput, ValtracError
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bittensor as devnet
from valtrac.snapshots import files, snapshots
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored

HEADER = "hotkey,netuid,block,at,address,stake_rao,owner"
AT = "2026-11-20T12:00:00Z"
OWNER = address(90)


def row(block: int | str = 100, who: int = 1, stake: object = 5, owner: object = 0, at: str = AT, **cells: str) -> str:
    values = {
        "hotkey": HOTKEY,
        "netuid": "0",
        "block": str(block),
        "at": at,
        "address": address(who),
        "stake_rao": str(stake),
        "owner": str(owner),
    } | cells
    return ",".join(values.values())


GOOD = [row(who=90, owner=1, stake=7), row(who=1), row(who=2, stake=6)]


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    return open_engine(f"sqlite:///{tmp_path}/v.sqlite")


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: str, header: str = HEADER) -> Path:
        path = tmp_path / "stakes.csv"
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def everything(engine: sa.Engine) -> list[Snapshot]:
    with reading(engine) as conn:
        return [found for netuid in (0, 1) for found in stored.load(conn, HOTKEY, netuid, 0, 2**53)]


def refused(engine: sa.Engine, path: Path) -> str:
    """What importing the file is refused with; nothing of it may be stored."""
    with pytest.raises(BadInput) as caught:
        files.import_file(engine, path)
    assert everything(engine) == []
    return " | ".join([caught.value.what, caught.value.why, caught.value.fix, *caught.value.problems])


def test_the_seven_columns_are_enough(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    assert files.import_file(engine, sheet(*GOOD)) == files.Imported(1, 0, 3)
    (found,) = everything(engine)
    assert (found.owner, found.owner_stake, found.stakes) == (OWNER, 7, {address(1): 5, address(2): 6})
    assert not found.verified
    assert found.price_rao is None


def test_with_the_sum_a_snapshot_is_verified_and_with_the_price_it_has_one(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    header = HEADER + ",price_rao,total_rao"
    files.import_file(engine, sheet(*(f"{one},31000000,18" for one in GOOD), header=header))
    (found,) = everything(engine)
    assert (found.verified, found.price_rao) == (True, 31_000_000)


def test_a_snapshot_without_owner_row_is_one_without_owner(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    files.import_file(engine, sheet(row(who=1)))
    assert everything(engine)[0].owner == ""


def test_the_same_file_twice_stores_nothing_new(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    path = sheet(*GOOD, row(block=200))
    files.import_file(engine, path)
    assert files.import_file(engine, path) == files.Imported(0, 2, 4)


def test_the_order_of_the_rows_does_not_matter(engine: sa.Engine, sheet: Callable[..., Path], tmp_path: Path) -> None:
    rows = [*GOOD, row(block=200), row(block=200, who=2)]
    files.import_file(engine, sheet(*rows))
    for shuffled in itertools.islice(itertools.permutations(rows), 0, 120, 17):
        assert files.import_file(engine, sheet(*shuffled)).new == 0


def test_a_known_snapshot_with_other_figures_is_refused_and_the_rest_is_not_stored(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    files.import_file(engine, sheet(*GOOD))
    before = everything(engine)
    with pytest.raises(BadInput, match="stored already, with other figures") as caught:
        files.import_file(engine, sheet(*GOOD[:2], row(who=2, stake=7), row(block=200)))
    assert "block 100, netuid 0" in caught.value.problems[0]
    assert everything(engine) == before


@pytest.mark.parametrize(
    ("rows", "place", "fix"),
    [
        ([*GOOD, row(who=3, stake=-1)], "row 5, stake_rao: '-1'", "write only digits"),
        ([*GOOD, row(who=3, stake="1.5")], "row 5, stake_rao: '1.5'", "write only digits"),
        ([*GOOD, row(who=3, stake=2**64)], "row 5, stake_rao", "to 18446744073709551615"),
        ([*GOOD, row(who=3, stake="")], "row 5, stake_rao", "write only digits"),
        ([*GOOD, row(who=3, owner=2)], "row 5, owner: '2'", "neither 0 nor 1"),
        ([*GOOD, row(who=3, owner="yes")], "row 5, owner: 'yes'", "neither 0 nor 1"),
        ([*GOOD, row(who=3, owner=1)], "row 5, owner", "at most one owner row; set the others to 0"),
        ([*GOOD, row(who=2)], "row 5, address", "twice; take one of them out"),
        ([*GOOD, row(who=90)], "row 5, address", "twice"),
        ([*GOOD, row(who=3, address=address(3)[:-1] + "x")], "row 5, address", "copy it whole"),
        ([*GOOD, row(who=3, hotkey="5x")], "row 5, hotkey", "copy it whole"),
        ([*GOOD, row(who=3, netuid="65536")], "row 5, netuid", "to 65535"),
        ([*GOOD, row(who=3, block="1e3")], "row 5, block: '1e3'", "write only digits"),
        ([*GOOD, row(who=3, at="yesterday")], "row 5, at: 'yesterday'", "like 2026-11-20T12:00:00Z"),
        ([*GOOD, row(who=3, at="2026-11-20T12:00:00")], "row 5, at", "in UTC with a Z at the end"),
        ([*GOOD, row(who=3, at="2026-11-20T12:00:01Z")], "row 5, at", "differs from row 2"),
        ([*GOOD, row(who=3, at="\x1b[2J")], "row 5, at: '·[2J'", "ISO-8601"),
    ],
)
def test_a_bad_cell_is_named_by_row_column_and_fix(
    engine: sa.Engine, sheet: Callable[..., Path], rows: list[str], place: str, fix: str
) -> None:
    words = refused(engine, sheet(*rows))
    assert place in words
    assert fix in words
    assert "\x1b" not in words


def test_a_sum_that_differs_from_its_rows_is_named(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    words = refused(engine, sheet(*(f"{one},19" for one in GOOD), header=HEADER + ",total_rao"))
    assert "row 2, total_rao: 19 is not 18" in words


@pytest.mark.parametrize("name", HEADER.split(","))
def test_a_missing_column_is_named_with_the_header_that_is_wanted(
    engine: sa.Engine, sheet: Callable[..., Path], name: str
) -> None:
    header = ",".join(one for one in HEADER.split(",") if one != name)
    words = refused(engine, sheet(header=header))
    assert f"column {name} is missing" in words
    assert HEADER in words


def test_a_column_that_is_there_twice_is_named(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    assert "column owner is there twice" in refused(engine, sheet(header=HEADER + ",owner"))


@pytest.mark.parametrize("cells", [6, 8])
def test_a_row_with_other_cells_than_the_header_is_named(
    engine: sa.Engine, sheet: Callable[..., Path], cells: int
) -> None:
    bad = ",".join(([*row(who=3).split(","), "x"])[:cells])
    assert "row 5" in refused(engine, sheet(*GOOD, bad))


def test_all_bad_rows_are_told_at_once_up_to_a_hundred(engine: sa.Engine, sheet: Callable[..., Path]) -> None:
    words = refused(engine, sheet(*(row(who=n, stake="x") for n in range(1, 300))))
    assert words.count("stake_rao") == 100
    assert "and more: reading stopped here" in words


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "column hotkey is missing"),
        (HEADER.encode() + b"\n", "has no readings"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (HEADER.encode() + b'\n"' + b"x" * 200_000, "not a CSV file"),
    ],
)
def test_a_file_that_is_no_such_sheet_is_refused_in_words(
    engine: sa.Engine, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "stakes.csv"
    path.write_bytes(content)
    assert said in refused(engine, path)


def test_a_file_too_large_is_refused_before_it_is_read(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "stakes.csv"
    with open(path, "wb") as file:
        file.truncate(files.LARGEST_FILE_BYTES + 1)  # takes no room on the disk
    words = refused(engine, path)
    assert "at most 2 GB" in words
    assert "split it by days" in words


@pytest.mark.parametrize(
    ("name", "said"),
    [("/dev/zero", "is not a file"), ("/tmp", "is a folder"), ("no/such.csv", "does not exist")],
)
def test_what_is_no_file_is_refused(engine: sa.Engine, name: str, said: str) -> None:
    assert said in refused(engine, Path(name))


def test_what_was_recorded_from_the_chain_comes_back_the_same_from_the_export(world: World, tmp_path: Path) -> None:
    devnet.advance(world.node, 400)  # past an emission, so that a little is left over by rounding
    world.day(3)
    path = tmp_path / "out.csv"
    assert files.export(world.engine, path, HOTKEY, None, 0, 2**53) == 3
    other = open_engine(f"sqlite:///{tmp_path}/other.sqlite")
    assert files.import_file(other, path).new == 3
    fields = ("block", "at", "owner", "owner_stake", "stakes", "price_rao", "verified", "dust")
    assert [[getattr(one, name) for name in fields] for one in everything(other)] == [
        [getattr(one, name) for name in fields] for one in everything(world.engine)
    ]
    assert all(snapshot.dust for snapshot in everything(other))


def test_an_export_has_the_columns_that_an_import_wants(world: World, tmp_path: Path) -> None:
    world.day(1)
    path = tmp_path / "out.csv"
    files.export(world.engine, path, HOTKEY, 0, 0, 2**53)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == HEADER.split(",")
    assert [one["owner"] for one in rows] == ["1"] + ["0"] * world.heads
    assert rows[0]["at"].endswith("Z")


def test_an_export_to_a_place_that_cannot_be_written_says_so(world: World) -> None:
    world.day(1)
    with pytest.raises(BadInput, match="cannot be written"):
        files.export(world.engine, Path("/proc/nope.csv"), HOTKEY, 0, 0, 2**53)


def test_the_daily_mirror_has_one_header_and_every_reading(world: World) -> None:
    logs = world.home / "logs"
    for _ in range(2):
        devnet.advance(world.node, 50)
        snapshots.take(world.engine, world.app.chain, HOTKEY, mirror=lambda one: files.mirror(logs, one))
    lines = [line for path in sorted(logs.glob("stakes-*.csv")) for line in path.read_text().splitlines()]
    assert sum(line.startswith("hotkey,") for line in lines) == len(list(logs.glob("stakes-*.csv")))
    assert sum(not line.startswith("hotkey,") for line in lines) == 2 * (world.heads + 1)


def test_a_days_file_that_an_older_version_began_goes_on_with_its_own_columns(world: World) -> None:
    logs = world.home / "logs"
    devnet.advance(world.node, 50)
    snapshots.take(world.engine, world.app.chain, HOTKEY, mirror=lambda one: files.mirror(logs, one))
    (path,) = logs.glob("stakes-*.csv")
    older = [",".join(line.split(",")[:9]) for line in path.read_text().splitlines()]
    path.write_text("\n".join(older) + "\n")
    devnet.advance(world.node, 50)
    snapshots.take(world.engine, world.app.chain, HOTKEY, mirror=lambda one: files.mirror(logs, one))
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {9}
    assert len(rows) == 1 + 2 * (world.heads + 1)


def test_a_mirror_that_cannot_be_written_says_that_the_database_has_it(world: World) -> None:
    devnet.advance(world.node, 50)
    (world.home / "logs").write_text("a file where the folder should be")
    with pytest.raises(ValtracError, match="cannot be written") as caught:
        snapshots.take(world.engine, world.app.chain, HOTKEY, mirror=lambda one: files.mirror(world.home / "logs", one))
    assert "in the database all the same" in caught.value.why
    assert len(everything(world.engine)) == 1


def test_a_block_far_beyond_the_chains_head_is_refused_and_nothing_of_the_file_is_stored(
    engine: sa.Engine, sheet: Callable[..., Path]
) -> None:
    path = sheet(row(100), row(10_000))
    with pytest.raises(BadInput, match="block 10000 lies far beyond the chain's last block, 1000"):
        files.import_file(engine, path, head=1000)
    assert everything(engine) == []
    assert files.import_file(engine, sheet(row(100), row(1050)), head=1000).new == 2  # a node may be a little behind


def test_an_export_of_nothing_replaces_no_file(world: World, tmp_path: Path) -> None:
    path = tmp_path / "kept.csv"
    path.write_text("mine\n")
    with pytest.raises(BadInput, match="no snapshot that counts"):
        files.export(world.engine, path, HOTKEY, None, 900, 2**53)
    assert path.read_text() == "mine\n"
