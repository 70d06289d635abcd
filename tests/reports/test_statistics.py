"""The record behind the figures: read from the database as it is, by blocks, days and presets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.payout_world import HOTKEY, TAO, World, address, owed
from valtrac.core.errors import BadInput
from valtrac.database.engine import reading, writing
from valtrac.people import referrals, users
from valtrac.reports import prices, statistics
from valtrac.reports.model import measures, ranges, record, referral_figures
from valtrac.reports.model.ranges import Bound
from valtrac.reports.statistics import Range
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, heads=3).people()


def stored(world: World, *rows: dict[str, int], netuid: int = 0, price: int | None = None) -> None:
    with writing(world.engine) as conn:
        for place, stakes in enumerate(rows, 1):
            at = BEGIN + timedelta(days=place - 1)
            assert snapshots.add(
                conn, Snapshot(HOTKEY, netuid, 100 * place, "0x", at, "OWNER", 5 * TAO, stakes, price, True, 11_796)
            )


def found(world: World, **chosen: object) -> record.Record:
    return statistics.record(world.engine, world.app.settings, Range(HOTKEY, **chosen))  # type: ignore[arg-type]


def test_snapshots_come_back_as_a_matrix_whoever_was_there_when(world: World) -> None:
    rows = [{address(n): (n + place) * TAO for n in range(1, 30) if (n + place) % 3} for place in range(60)]
    stored(world, *rows)
    history = found(world).history
    for row, stakes in enumerate(rows):
        mine = {
            name: units for name, units in zip(history.addresses, history.stakes[row].tolist(), strict=True) if units
        }
        assert mine == {name: units / TAO for name, units in stakes.items()}
    assert history.owner_stake.tolist() == [5.0] * 60
    assert history.take[0] == pytest.approx(0.18, abs=1e-4)
    assert len(found(world, first=Bound(block=5000)).history) == 11


def test_a_range_is_said_in_blocks_in_days_or_by_a_preset(world: World) -> None:
    stored(world, *[{address(1): TAO}] * 10)
    assert found(world, first=Bound(block=250), last=Bound(block=500)).history.blocks.tolist() == [300, 400, 500]
    days = {"first": ranges.bound("2026-03-03", field="from"), "last": ranges.bound("2026-03-04", field="to", end=True)}
    assert found(world, **days).history.blocks.tolist() == [300, 400]
    assert found(world, preset="7d").history.blocks.tolist() == [300, 400, 500, 600, 700, 800, 900, 1000]
    assert len(found(world, preset="all").history) == 10


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"first": Bound(block=9), "last": Bound(block=8)}, "lies after to block"),
        ({"first": Bound(at=BEGIN + timedelta(days=2)), "last": Bound(at=BEGIN)}, "ends before it begins"),
        ({"first": Bound(block=10**6)}, "no snapshot of"),
        ({"last": Bound(at=BEGIN - timedelta(days=9))}, "no snapshot of"),
        ({"netuid": 7}, "on netuid 7"),
        ({"preset": "soon"}, "range: 'soon'"),
    ],
)
def test_a_range_that_cannot_be_is_refused_in_words(world: World, chosen: dict[str, object], words: str) -> None:
    stored(world, {address(1): TAO}, {address(1): TAO})
    with pytest.raises(BadInput, match=words):
        found(world, **chosen)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "-5", "9" * 11, "2026-3-1", "٣", "1e3"])
def test_what_is_no_bound_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(BadInput, match="from: "):
        ranges.bound(text, field="from")


def test_a_month_and_a_year_are_periods() -> None:
    assert ranges.month("2026-12") == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert ranges.month("2026")[1] == datetime(2027, 1, 1, tzinfo=UTC)
    for wrong in ("2026-00", "2026-13", "26-01", "soon", "1969-12"):
        with pytest.raises(BadInput, match="period: "):
            ranges.month(wrong)


def test_all_subnets_are_one_history_valued_in_tao(world: World) -> None:
    stored(world, {address(1): 4 * TAO}, price=TAO)
    stored(world, {address(1): 10 * TAO, address(2): 2 * TAO}, netuid=5, price=TAO // 2)
    both = found(world, netuid=None)
    assert dict(zip(both.history.addresses, both.history.stakes[0].tolist(), strict=True)) == {
        address(1): 9.0,
        address(2): 1.0,
    }
    assert both.history.owner_stake.tolist() == [7.5]
    alone = found(world, netuid=5)
    assert (alone.unit, alone.history.price.tolist()) == ("alpha of subnet 5", [0.5])


def test_the_figures_of_a_real_payout_are_those_of_the_payout(world: World) -> None:
    referrals.add(world.engine, "u003", "u001", 2_000)
    batch = world.send(world.day(4).approved(minimum=2 * TAO))
    made = found(world)
    shares = statistics.shares(made)
    plan = {line.user: line.from_pool for line in batch.payout.lines}
    plan |= {kept.user: kept.amount for kept in batch.payout.held}
    shared = batch.pool - batch.payout.fee_from_pool
    for name, units in plan.items():
        assert shares.adjusted[name] * shared == pytest.approx(units, abs=1.01)
    person = measures.person(made, "u003", shares)
    assert (person.paid, person.earned) == (owed(batch)["u003"] / TAO, plan["u003"] / TAO)
    assert person.stake == pytest.approx(
        float(np.sum(made.history.stakes[-1][made.history.addresses.index(address(3))]))
    )
    assert measures.person(made, "u001", shares).chain == (("u003", 2_000),)
    overview = measures.overview(made)
    assert overview.paid == pytest.approx(batch.total / TAO)
    assert overview.held == pytest.approx(sum(kept.amount for kept in batch.payout.held) / TAO)
    income = referral_figures.referrer_income(made)
    assert income["u003"] == pytest.approx(shares.base["u001"] * 0.2 * batch.pool / TAO)
    assert sorted(measures.sizes(made)) == sorted(units / TAO for units in owed(batch).values())


def test_a_renamed_user_keeps_the_figures_and_whoever_takes_the_name_gets_none_of_them(world: World) -> None:
    batch = world.send(world.day().approved())
    users.rename(world.engine, "u001", "anna")
    users.add(world.engine, "u001", [address(99)])
    made = found(world)
    shares = statistics.shares(made)
    assert measures.person(made, "anna", shares).paid == pytest.approx(owed(batch)["u001"] / TAO)
    assert measures.person(made, "u001", shares).paid == 0


def test_a_held_balance_is_as_old_as_its_oldest_part_that_is_left(world: World) -> None:
    world.send(world.day().approved(minimum=3 * TAO))
    rows = {row.name: row for row in statistics.held_balances(world.engine, datetime.now(UTC) + timedelta(days=2))}
    assert set(rows) == {"u001", "u002"}
    assert rows["u001"].days == pytest.approx(2, abs=0.1)
    world.send(world.day().approved())
    assert statistics.held_balances(world.engine) == []


def test_every_price_that_can_matter_is_in_the_record(world: World) -> None:
    stored(world, *[{address(1): TAO}] * 3)
    for hours, text in ((-30, "1"), (-20, "2"), (30, "3")):
        prices.enter(world.engine, text, "USD", at=BEGIN + timedelta(hours=hours))
    points = measures.balances(found(world), "u001")
    assert [point.money for point in points] == [2.0, None, 3.0]


def test_a_user_is_found_by_name_or_address_and_a_typo_names_the_nearest(world: World) -> None:
    assert statistics.user(world.engine, "u001") == "u001"
    assert statistics.user(world.engine, address(77)) == address(77)
    with pytest.raises(BadInput, match="is an address of u002"):
        statistics.user(world.engine, address(2))
    with pytest.raises(BadInput) as refused:
        statistics.user(world.engine, "u0001")
    assert "u001" in refused.value.fix
    users.end(world.engine, "u001")
    assert statistics.user(world.engine, "u001") == "u001"


def test_reading_twice_reads_the_same(world: World) -> None:
    stored(world, {address(1): TAO}, {address(1): 2 * TAO})
    with reading(world.engine):
        assert found(world).history.stakes.tolist() == found(world).history.stakes.tolist()


def test_the_subnet_with_the_most_stake_is_looked_at_where_none_is_named(world: World) -> None:
    assert statistics.subnet_of_stake(world.engine, HOTKEY) == 0
    stored(world, {address(1): TAO}, netuid=9)
    assert statistics.subnet_of_stake(world.engine, HOTKEY) == 9
    stored(world, {address(1): 80 * TAO}, netuid=3, price=TAO // 100)
    assert statistics.subnets(world.engine, HOTKEY) == [3, 9], "one has no price: compared by their units"
    stored(world, {address(1): TAO})
    assert statistics.subnets(world.engine, HOTKEY) == [3, 0, 9]


def test_stake_on_several_subnets_is_compared_by_its_worth(world: World) -> None:
    stored(world, {address(1): TAO})
    stored(world, {address(1): 500 * TAO}, netuid=3, price=TAO // 100)
    stored(world, {address(1): 50 * TAO}, netuid=4, price=TAO // 5)
    assert statistics.subnets(world.engine, HOTKEY) == [4, 0, 3]


def test_a_subnet_that_is_not_recorded_any_more_comes_last(world: World) -> None:
    stored(world, {address(1): 9 * TAO}, netuid=3, price=TAO)
    stored(world, *[{address(1): TAO}] * 74)
    assert statistics.subnets(world.engine, HOTKEY) == [0, 3]


def test_a_subnet_without_snapshots_is_refused_naming_those_that_have_some(world: World) -> None:
    with pytest.raises(BadInput) as nothing:
        found(world)
    assert "snapshot take" in nothing.value.fix and "--netuid" not in nothing.value.fix
    stored(world, {address(1): TAO}, netuid=9)
    with pytest.raises(BadInput) as caught:
        found(world)
    assert caught.value.fix == "choose a subnet that is recorded: --netuid 9"
    with pytest.raises(BadInput) as plan:
        world.draft()
    assert plan.value.fix == "the stake is recorded on netuid 9: name one, --netuid 9"
