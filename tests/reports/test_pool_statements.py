"""A delegate's statement: what was booked less the fee is what arrived, what is on its way and what is owed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from charts.drawing import pool_page
from menus.frame.ui import Ui
from menus.pool.proof import write_statement
from tests.pool_world import COIN, World
from tests.qtum_within import within
from valtrac.core.errors import BadInput
from valtrac.pool.model.states import Booking
from valtrac.reports.model.pool_statements import Booked, statement_of
from valtrac.reports.pool import statement


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with within():
        made = World(tmp_path / "home")
        yield made
        made.close()


def test_what_was_booked_is_accounted_for_before_and_after_a_payday(world: World) -> None:
    world.look()
    world.win()
    world.look()
    before = statement(world.engine, world.address("ann"))
    assert (before.shared, before.owed, before.fee, before.paid, before.on_its_way) == (3 * COIN, 3 * COIN, 0, 0, 0)
    world.midnight()
    world.pay()
    after = statement(world.engine, world.address("ann"))
    assert (after.shared, after.owed, after.fee, after.paid) == (3 * COIN, 0, 36_000_000, 264_000_000)
    assert after.on_its_way == 0
    (payment,) = after.payments
    assert [day.day for day in after.days] == [world.rewards()[0]["block_at"].date()]  # the chain's, not this machine's
    assert payment.tx_id == world.attempts()[0].tx_id
    with pytest.raises(BadInput, match="never credited"):
        statement(world.engine, "qNobody")


def test_bookings_are_summed_by_day_and_kind_and_a_block_counts_once() -> None:
    noon, later = datetime(2026, 11, 2, 12, tzinfo=UTC), datetime(2026, 11, 3, 1, tzinfo=UTC)
    booked = [
        Booked(noon, Booking.SHARE, 5, 10, ""),
        Booked(noon, Booking.SHARE, 7, 11, ""),
        Booked(later, Booking.UNDONE, -7, 11, ""),
        Booked(later, Booking.PAYDAY, -3, None, ""),
    ]
    made = statement_of("q", "s", booked, (), 1)
    assert [(day.day.day, day.kind, day.rewards, day.units) for day in made.days] == [
        (2, "share", 2, 12),
        (3, "undone", 1, -7),
    ]
    assert (made.owed, made.shared, made.on_its_way) == (2, 5, 2)


def test_the_page_has_every_payment_and_nothing_raw(world: World, tmp_path: Path) -> None:
    world.look()
    world.win()
    world.midnight()
    world.pay()
    out = tmp_path / "ann.html"
    write_statement(Ui(), world.app, world.address("ann"), out)
    page = out.read_text()
    for part in ("2.64000000", "0.36000000 QTUM", world.attempts()[0].tx_id, world.pool.staker):
        assert part in page
    assert "<script" not in page and "default-src 'none'" in page
    hostile = statement_of("<b>q</b>", "<i>", [Booked(datetime.now(UTC), Booking.SHARE, 1, None, "<u>")], (), 0)
    assert "<b>" not in pool_page.statement(hostile) and "<u>" not in pool_page.statement(hostile)
