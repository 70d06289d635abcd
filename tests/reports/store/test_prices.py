"""Prices as they are kept: by time and currency, added and never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.databases import fresh
from valtrac.database import engine as engines
from valtrac.database import opening
from valtrac.reports.model.prices import LARGEST_NANO, Price
from valtrac.reports.store import prices

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


def price(minutes: int, nano: int, currency: str = "USD", source: str = "manual") -> Price:
    return Price(NOON + minutes * MINUTE, currency, nano, source, "words")


def add(engine: sa.Engine, *rows: Price) -> None:
    with engines.writing(engine) as conn:
        prices.add(conn, rows)


def at(engine: sa.Engine, minutes: float, max_age_s: int = 600, currency: str = "USD") -> int | None:
    with engines.reading(engine) as conn:
        found = prices.at(conn, currency, NOON + minutes * MINUTE, max_age_s)
    return None if found is None else found.price_nano


def test_a_price_comes_back_as_it_went_in(engine: sa.Engine) -> None:
    row = Price(NOON, "USD", LARGEST_NANO, "median of kraken TAO/USD, gate TAO/USDT", "left out: ü")
    add(engine, row)
    with engines.reading(engine) as conn:
        assert prices.latest(conn, "USD") == [row]


def test_the_last_known_at_or_before_a_moment_counts_until_it_is_too_old(engine: sa.Engine) -> None:
    add(engine, price(0, 1), price(5, 2))
    assert [at(engine, minutes) for minutes in (-1, 0, 4.9, 5, 15, 15.1)] == [None, 1, 1, 2, 2, None]


def test_a_moment_after_the_last_price_is_unknown_and_not_zero(engine: sa.Engine) -> None:
    assert at(engine, 0) is None
    add(engine, price(0, 1))
    assert at(engine, 60) is None


def test_currencies_do_not_mix(engine: sa.Engine) -> None:
    add(engine, price(0, 1, "USD"), price(1, 2, "EUR"))
    assert (at(engine, 2), at(engine, 2, currency="EUR"), at(engine, 2, currency="JPY")) == (1, 2, None)


def test_of_two_for_one_time_the_one_written_last_counts(engine: sa.Engine) -> None:
    add(engine, price(0, 1), price(0, 2))
    add(engine, price(0, 3), price(-5, 9))
    assert at(engine, 1) == 3
    with engines.reading(engine) as conn:
        assert [row.price_nano for row in prices.between(conn, "USD", NOON - 9 * MINUTE, NOON)] == [9, 3]
        assert {
            moment: row.price_nano for moment, row in prices.exactly(conn, "USD", [NOON, NOON + MINUTE]).items()
        } == {NOON: 3}


def test_many_moments_are_looked_up_at_once(engine: sa.Engine) -> None:
    add(engine, *(price(minutes, minutes + 1) for minutes in range(1200)))
    with engines.reading(engine) as conn:
        found = prices.exactly(conn, "USD", [NOON + minutes * MINUTE for minutes in range(-5, 1200)])
        assert len(found) == 1200
        assert [row.price_nano for row in prices.latest(conn, "USD", 2)] == [1200, 1199]
