"""Stakes as residuals: every unit comes back, whatever the stakes do, and what follows the pool takes little."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import fresh
from tests.payout_world import HOTKEY, address
from valtrac.core.errors import ValtracError
from valtrac.database import engine as engines
from valtrac.database import opening
from valtrac.snapshots import rulings, verifying
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import memory, packing, residuals
from valtrac.snapshots.store import snapshots as stored
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.residuals import Frame

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
units = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1), st.sampled_from([10**12, 2**63, 2**64 - 1]))
rosters = st.dictionaries(st.integers(1, 30), units, max_size=20)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


def frame(stakes: dict[int, int]) -> Frame:
    ids = np.array(sorted(stakes), dtype=np.int64)
    return residuals.frame_of(ids, packing.column([stakes[number] for number in ids.tolist()]))


def held(read: Frame) -> dict[int, int]:
    return dict(zip(read.ids.tolist(), read.stakes.tolist(), strict=True))


@given(st.lists(rosters, min_size=1, max_size=6))
def test_any_stakes_come_back_to_the_unit(worlds: list[dict[int, int]]) -> None:
    base = residuals.read(residuals.whole(frame(worlds[0])), None)
    assert held(base) == worlds[0]
    for world in worlds[1:]:
        body, left = residuals.changed(base, frame(world))
        read = residuals.read(body, base)
        assert held(read) == world
        assert residuals.is_own(body)
        assert read.parts.tolist() == left.parts.tolist()  # who writes and who reads guess the same
        base = read


@given(st.integers(1, 60), st.integers(0, 2**32), st.booleans())
def test_a_pool_that_grows_or_falls_comes_back_to_the_unit(heads: int, seed: int, falls: bool) -> None:
    dice = random.Random(seed)
    shares = {number: dice.randrange(2**50) for number in range(heads)}
    pool, base = 2**40, None
    for _ in range(12):
        pool += (-1 if falls else 1) * dice.randrange(2**26)
        world = {number: share * pool >> 40 for number, share in shares.items()}
        body = residuals.whole(frame(world)) if base is None else residuals.changed(base, frame(world))[0]
        base = residuals.read(body, base)
        assert held(base) == world


def test_what_follows_the_pool_takes_next_to_nothing() -> None:
    dice, pool, sizes = random.Random(1), 2**40, []
    shares = {number: dice.randrange(2**30, 2**45) for number in range(2000)}
    start = frame({number: share * pool >> 40 for number, share in shares.items()})
    base = residuals.read(residuals.whole(start), None)
    for _ in range(100):
        pool += dice.randrange(2**24, 2**25)
        body, base = residuals.changed(base, frame({number: share * pool >> 40 for number, share in shares.items()}))
        sizes.append(len(body))
    assert sum(sizes[50:]) / (50 * 2000) < 0.06  # once the parts below one unit are known about
    assert sum(sizes) / (100 * 2000) < 0.08


def test_steps_without_a_pattern_take_their_own_size() -> None:
    dice = random.Random(2)
    world = {number: dice.randrange(2**30, 2**40) for number in range(2000)}
    base = residuals.read(residuals.whole(frame(world)), None)
    world = {number: units + dice.randrange(-(2**20), 2**20) for number, units in world.items()}
    body, _ = residuals.changed(base, frame(world))
    assert len(body) < 3.2 * 2000


def made(block: int, stakes: dict[str, int], **changes: Any) -> Snapshot:
    values = {"hotkey": HOTKEY, "netuid": 0, "block_hash": "0x", "owner": address(99), "owner_stake": 5}
    values |= {"price_rao": 10**9, "verified": True, "at": NOON + timedelta(seconds=12 * block)} | changes
    return Snapshot(block=block, stakes=stakes, **values)  # type: ignore[arg-type]


def history(snapshots: int, heads: int = 12, seed: int = 4) -> list[Snapshot]:
    """A pool that grows, with people who come, go and come back."""
    dice = random.Random(seed)
    shares, pool, taken = {n: dice.randrange(10**9, 10**13) for n in range(1, heads + 1)}, 10**9, []
    for hour in range(snapshots):
        pool += dice.randrange(10**5)
        if hour % 7 == 6:
            shares.pop(dice.choice(sorted(shares)))
            shares[dice.randrange(1, 3 * heads)] = dice.randrange(10**12)
        taken.append(made(300 * hour, {address(n): share * pool // 10**9 for n, share in shares.items()}))
    return taken


def add(engine: sa.Engine, snapshots: list[Snapshot]) -> None:
    for snapshot in snapshots:
        with engines.writing(engine) as conn:
            assert stored.add(conn, snapshot)


def test_a_year_of_snapshots_comes_back_through_many_key_frames(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "DEEPEST", 9)
    taken = history(64)
    add(engine, taken)
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 10**6) == taken
        assert stored.load(conn, HOTKEY, 0, 300 * 33, 300 * 35) == taken[33:36]
        depths = [row.depth for row in conn.execute(sa.select(t.snapshots.c.depth).order_by(t.snapshots.c.block))]
    assert depths == [n % 10 for n in range(64)]


def test_a_process_that_forgot_goes_on_with_the_same_snapshots(engine: sa.Engine) -> None:
    taken = history(20)
    add(engine, taken[:10])
    memory._COMMITTED.clear()
    add(engine, taken[10:])
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 10**6) == taken


def test_what_was_not_committed_is_not_remembered(engine: sa.Engine) -> None:
    taken = history(8)
    add(engine, taken[:4])
    with pytest.raises(KeyError), engines.writing(engine) as conn:
        stored.add(conn, made(1200, {address(n): n for n in range(50, 70)}))
        raise KeyError
    add(engine, taken[4:])
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 10**6) == taken
    assert verifying.verify(engine).snapshots == 8


def test_late_and_ruled_out_snapshots_change_nothing_of_the_others(engine: sa.Engine) -> None:
    taken = history(30)
    late = [taken[5], taken[17], taken[18]]
    add(engine, [snapshot for snapshot in taken if snapshot not in late] + late)
    rulings.rule_out(engine, HOTKEY, 0, taken[9].block, "a slip in a file")
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 10**6) == [*taken[:9], *taken[10:]]
    assert verifying.verify(engine) == verifying.Verified(30, sum(len(snapshot.stakes) for snapshot in taken))


def in_the_older_form(conn: sa.Connection, taken: list[Snapshot]) -> None:
    """Store snapshots as version 0.1 did before: steps from the row before, rosters in a table of their own."""
    base: tuple[int, list[int], list[int]] | None = None
    for snapshot in taken:
        ids = memory.numbers(conn, memory.Memory(), sorted(snapshot.stakes)).tolist()
        units = [snapshot.stakes[name] for name in sorted(snapshot.stakes)]
        ordered = sorted(zip(ids, units, strict=True))
        ids, units = [number for number, _ in ordered], [value for _, value in ordered]
        values = packing.column(units)
        if base is not None:
            before = dict(zip(base[1], base[2], strict=True))
            values = packing.steps(values, packing.column([before.get(number, 0) for number in ids]))
        packed = packing.pack_ids(ids)
        roster = conn.execute(sa.select(t.rosters.c.id).where(t.rosters.c.ids == packed)).scalar()
        if roster is None:
            new = t.rosters.insert().values(digest=packed[:31].ljust(32, b"r"), ids=packed)
            roster = conn.execute(new.returning(t.rosters.c.id)).scalar_one()
        row = {
            name: getattr(snapshot, name)
            for name in (
                *("hotkey", "netuid", "block", "block_hash", "at", "owner", "owner_stake", "others_stake", "price_rao"),
                *("verified", "take_raw", "dust"),
            )
        }
        row |= {"genesis": "", "heads": len(ids), "roster_id": roster, "digest": snapshot.first_digest()}
        row |= {"base_id": None if base is None else base[0], "depth": 0, "stakes": packing.pack(values)}
        number = conn.execute(t.snapshots.insert().values(row).returning(t.snapshots.c.id)).scalar_one()
        base = number, ids, units


def test_rows_of_the_older_form_are_read_for_good_and_new_ones_follow_them(engine: sa.Engine) -> None:
    taken = history(24)
    with engines.writing(engine) as conn:
        in_the_older_form(conn, taken[:12])
    add(engine, taken[12:])
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 10**6) == taken
        assert stored.load(conn, HOTKEY, 0, taken[10].block, taken[10].block) == [taken[10]]
        assert stored.same(conn, taken[3]) is True
        assert stored.same(conn, made(taken[3].block, {})) is False
    assert verifying.verify(engine).snapshots == 24


def test_damage_is_named_by_its_block(engine: sa.Engine) -> None:
    add(engine, history(6))
    other = residuals.whole(frame({1: 7, 2: 9}))
    with engines.writing(engine) as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("DROP TRIGGER snapshots_no_update")
        else:
            conn.exec_driver_sql("DROP TRIGGER snapshots_no_update ON snapshots")
        conn.execute(t.snapshots.update().where(t.snapshots.c.block == 1500).values(stakes=other))
    with pytest.raises(ValtracError) as damaged:
        verifying.verify(engine)
    (problem,) = damaged.value.problems
    assert "block 1500: its stakes are not those that were recorded; it has 2 heads, not 12" in problem
    with engines.writing(engine) as conn:
        conn.execute(t.snapshots.update().where(t.snapshots.c.block == 900).values(stakes=b"\x02torn"))
    with pytest.raises(ValtracError) as torn:
        verifying.verify(engine)
    assert "after block 600: the bytes of a snapshot cannot be read" in torn.value.problems[0]


def test_a_reading_of_a_large_pool_takes_less_than_a_third_of_a_byte_of_the_file(tmp_path: Path) -> None:
    engine = opening.open_engine(fresh("sqlite", tmp_path))

    def pages() -> int:
        with engines.reading(engine) as conn:
            query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
            return int(conn.exec_driver_sql(query).scalar_one())

    dice, pool = random.Random(5), 10**12
    shares = {address(n): dice.randrange(10**9, 10**13) for n in range(1, 4001)}
    taken = []
    for hour in range(60):
        pool += dice.randrange(10**7, 10**8)
        taken.append(made(300 * hour, {name: share * pool // 10**12 for name, share in shares.items()}))
    add(engine, taken[:1])
    before = pages()
    add(engine, taken[1:])
    assert (pages() - before) / (59 * 4000) < 1 / 3
