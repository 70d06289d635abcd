"""Prices of their time: asked for, entered, imported. A price that is not known never stops anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.payout_world import HOTKEY, World
from valtrac.core.errors import BadInput
from valtrac.core.quotes import Answers, Quote
from valtrac.database.engine import reading, writing
from valtrac.database.opening import open_engine
from valtrac.devnet import bittensor as devnet
from valtrac.loggers.jobs import stakes
from valtrac.reports import prices
from valtrac.reports.model.prices import Price, Unknown
from valtrac.reports.store import tables as t
from valtrac.snapshots.store import snapshots as stored_snapshots

DAY = timedelta(days=1)


class Told:
    """Exchanges that say what a test wants, and count how often they were asked."""

    currency, stale_s, any_time = "USD", 3600, False

    def __init__(self, *told: str, reasons: tuple[str, ...] = (), any_time: bool = False) -> None:
        self.any_time, self.times = any_time, 0
        self.answers = Answers(tuple(Quote("kraken", "TAO/USD", Decimal(one), None) for one in told), reasons)

    def quotes(self) -> Answers:
        self.times += 1
        return self.answers


class Broken(Told):
    def quotes(self) -> Answers:
        raise RuntimeError("the library \x1b[2J is broken")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_engine(tmp_path / "v.sqlite")
    yield opened
    opened.dispose()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.app.close()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def rows(engine: sa.Engine) -> list[Price]:
    return prices.listed(engine, "USD", 1000)


def test_asking_writes_the_median_down_with_who_said_it(engine: sa.Engine) -> None:
    found = prices.refresh(engine, Told("410", "415", "900", reasons=("mexc: down",)))
    assert isinstance(found, Price)
    assert rows(engine) == [found]
    assert (str(found), found.words) == ("415.00 USD", "left out: mexc: down")


def test_without_an_answer_nothing_is_written_and_the_reasons_are_told(engine: sa.Engine) -> None:
    assert prices.refresh(engine, Told(reasons=("kraken: down",))) == Unknown(("kraken: down",))
    assert rows(engine) == []


def test_the_price_of_a_snapshot_bears_the_time_of_the_snapshot(engine: sa.Engine) -> None:
    at = now() - timedelta(minutes=20)
    assert prices.note(engine, Told("412.5"), at) == "price 412.50 USD (kraken TAO/USD)"
    assert [(price.at, price.words[:8]) for price in rows(engine)] == [(at, "asked at")]


def test_the_price_of_one_moment_is_asked_for_once(engine: sa.Engine) -> None:
    source, at = Told("412.5"), now()
    assert prices.note(engine, source, at) != ""
    assert prices.note(engine, source, at) == ""
    assert (source.times, len(rows(engine))) == (1, 1)


def test_the_price_of_now_is_not_taken_for_the_price_of_long_ago(engine: sa.Engine) -> None:
    source = Told("412.5")
    assert prices.note(engine, source, now() - DAY).startswith("price unknown: 24 h from now")
    assert (source.times, rows(engine)) == (0, [])
    assert prices.note(engine, Told("412.5", any_time=True), now() - DAY).startswith("price 412.50 USD")


def test_without_exchanges_there_is_nothing_to_say(engine: sa.Engine) -> None:
    assert prices.note(engine, Told(), now()) == ""


def test_noting_a_price_never_raises(engine: sa.Engine) -> None:
    assert prices.note(engine, Broken(), now()) == "price unknown: RuntimeError: the library ·[2J is broken"
    assert prices.note(engine, Told(reasons=("kraken: down", "mexc: NaN")), now()) == (
        "price unknown: kraken: down; mexc: NaN"
    )
    with writing(engine) as conn:
        conn.exec_driver_sql("DROP TABLE prices")
    assert prices.note(engine, Told("1"), now()).startswith("price unknown: ValtracError: the database")


@pytest.mark.parametrize("source", [Broken(), Told(reasons=("kraken: down",)), Told("0")])
def test_no_price_never_stops_a_snapshot(world: World, source: Told) -> None:
    world.app.__dict__["prices"] = source
    devnet.advance(world.node, 310)
    tick = stakes.tick(world.app, HOTKEY)
    assert tick.block == 300
    assert "price unknown" in tick.words
    with reading(world.engine) as conn:
        assert stored_snapshots.last_block(conn, HOTKEY, 0) == 300
    assert rows(world.engine) == []


def test_each_snapshot_of_the_logger_has_the_price_of_its_time(world: World) -> None:
    source = world.app.__dict__["prices"] = Told("412.5", any_time=True)
    devnet.advance(world.node, 10)
    for _ in range(3):
        devnet.advance(world.node, 300)
        assert "price 412.50 USD" in stakes.tick(world.app, HOTKEY).words
        assert stakes.tick(world.app, HOTKEY).words == ""
    with reading(world.engine) as conn:
        times = [snapshot.at for snapshot in stored_snapshots.load(conn, HOTKEY, 0, 0, 10**6)]
    assert [price.at for price in reversed(rows(world.engine))] == times
    assert source.times == 3
    for at in times:
        found = prices.known(world.engine, world.app.settings, at)
        assert found is not None
        assert (found.at, found.price_nano) == (at, 412_500_000_000)


def test_a_rehearsal_asks_nobody_by_itself(world: World) -> None:
    assert world.app.settings.exchanges == ()
    assert prices.note(world.engine, world.app.prices, now()) == ""


def test_a_price_is_entered_by_hand_for_any_time_past(engine: sa.Engine) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    prices.enter(engine, "412.50", "USD", at=at, words="from the bank")
    prices.enter(engine, "413", "USD", at=at)
    prices.enter(engine, "400", "EUR")
    assert [(price.at, str(price), price.source, price.words) for price in rows(engine)] == [
        (at, "413.00 USD", "manual", ""),
        (at, "412.50 USD", "manual", "from the bank"),
    ]
    assert abs(prices.listed(engine, "EUR", 1)[0].at - now()) < timedelta(minutes=5)


def test_a_price_by_hand_holds_for_the_set_time(world: World) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    prices.enter(world.engine, "412.50", "USD", at=at)
    settings = world.app.settings
    assert prices.known(world.engine, settings, at - timedelta(seconds=1)) is None
    assert str(prices.known(world.engine, settings, at + DAY)) == "412.50 USD"
    assert prices.known(world.engine, settings, at + DAY + timedelta(seconds=1)) is None
    assert prices.known(world.engine, settings.model_copy(update={"currency": "EUR"}), at) is None


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        ("0", {}, "a price of zero"),
        ("-1", {}, "is not a price"),
        ("1", {"at": datetime(2999, 1, 1, tzinfo=UTC)}, "has not come yet"),
        ("1", {"words": "x" * 301}, "301 characters"),
    ],
)
def test_what_cannot_be_entered_changes_nothing(engine: sa.Engine, text: str, how: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        prices.enter(engine, text, "USD", **how)
    assert rows(engine) == []


def test_a_sheet_is_imported_once_and_corrected_by_the_next(engine: sa.Engine, tmp_path: Path) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text("Date,Price\n2026-01-01,400\n2026-01-02,410\n2026-01-02,410\n", encoding="utf-8")
    assert prices.import_file(engine, sheet, "USD") == prices.Imported(2, 0)
    assert prices.import_file(engine, sheet, "USD") == prices.Imported(0, 2)
    sheet.write_text("Date,Price\n2026-01-01,400\n2026-01-02,411\n", encoding="utf-8")
    assert prices.import_file(engine, sheet, "USD") == prices.Imported(1, 1)
    found = prices.between(engine, "USD", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
    assert [str(price) for price in found] == ["400.00 USD", "411.00 USD"]
    with reading(engine) as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(t.prices)).scalar() == 3


def test_a_sheet_with_a_bad_row_is_not_imported_at_all(engine: sa.Engine, tmp_path: Path) -> None:
    sheet = tmp_path / "prices.csv"
    sheet.write_text("Date,Price\n2026-01-01,400\nsoon,1\n2026-01-02,zero\n", encoding="utf-8")
    with pytest.raises(BadInput, match="2 rows cannot be used") as caught:
        prices.import_file(engine, sheet, "USD")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["row 3, Date", "row 4, Price"]
    assert rows(engine) == []


def test_a_sheet_that_is_not_there_is_named(engine: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        prices.import_file(engine, tmp_path / "nope.csv", "USD")
