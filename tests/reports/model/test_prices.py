"""Prices in exact arithmetic: the median of what was heard, and what an amount is worth."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.core.errors import BadInput
from valtrac.core.quotes import Answers, Quote, number
from valtrac.reports.model.prices import (
    LARGEST_NANO,
    Price,
    Unknown,
    agreed,
    check_past,
    fraction,
    median,
    parse_moment,
    parse_price,
    price_text,
    span_text,
    to_nano,
    usable,
    value,
    value_text,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
small = st.decimals(min_value="0.000000001", max_value=20, places=9)


def quote(price: str, source: str = "kraken", at: datetime | None = None) -> Quote:
    return Quote(source, "TAO/USD", Decimal(price), at)


def told(*prices: str) -> int:
    found = agreed(Answers(tuple(quote(price) for price in prices)), NOON, "USD")
    assert isinstance(found, Price)
    return found.price_nano


@given(st.lists(small, min_size=1, max_size=9))
def test_the_median_is_exact_whatever_the_order(prices: list[Decimal]) -> None:
    exact = [Fraction(price) for price in prices]
    assert median(exact) == median(exact[::-1]) == statistics.median(exact)
    assert min(exact) <= median(exact) <= max(exact)


@given(st.lists(small, min_size=2, max_size=9))
def test_one_that_is_far_off_moves_it_no_further_than_to_a_neighbour(prices: list[Decimal]) -> None:
    honest = sorted(Fraction(price) for price in prices)
    assert honest[0] <= median([*honest, Fraction(10**9)]) <= honest[-1]


@given(st.lists(small, min_size=1, max_size=8))
def test_what_is_stored_is_within_half_a_billionth_of_it(prices: list[Decimal]) -> None:
    exact = median([Fraction(price) for price in prices])
    assert abs(Fraction(told(*map(str, prices)), 10**9) - exact) <= Fraction(1, 2 * 10**9)


def test_the_mean_of_the_middle_two_rounds_halves_to_the_even_billionth() -> None:
    assert told("1.000000001", "1.000000002") == 1_000_000_002
    assert told("1.000000002", "1.000000003") == 1_000_000_002
    assert told("1", "2", "3", "1000") == 2_500_000_000
    assert told("0.1", "0.2") == 150_000_000


def test_no_answer_is_unknown_with_the_reasons_and_never_a_number() -> None:
    assert agreed(Answers((), ("kraken: down",)), NOON, "USD") == Unknown(("kraken: down",))
    with pytest.raises(ValueError, match="median of nothing"):
        median([])


@pytest.mark.parametrize("nano", [0, -1, LARGEST_NANO + 1, 1.5, True, None])
def test_a_price_of_zero_cannot_be_made(nano: object) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Price(NOON, "USD", nano, "manual")  # type: ignore[arg-type]


def test_the_source_names_everyone_and_the_words_who_was_left_out() -> None:
    heard = Answers((quote("1"), quote("3", "mexc")), ("kucoin: down",))
    found = agreed(heard, NOON, "USD", "asked late")
    assert isinstance(found, Price)
    assert (found.source, found.words) == (
        "median of kraken TAO/USD, mexc TAO/USD",
        "asked late; left out: kucoin: down",
    )


def test_stale_early_and_absurd_ones_are_left_out() -> None:
    hour = timedelta(hours=1)
    given_ = (
        quote("1", "now"),
        quote("2", "edge", NOON - hour),
        quote("3", "old", NOON - hour - timedelta(seconds=1)),
        quote("4", "early", NOON + 2 * hour),
        quote("0", "zero"),
        quote("-5", "minus"),
        quote("1e10", "huge"),
        quote("4e-10", "tiny"),
        quote("NaN", "nan"),
    )
    kept = usable(Answers(given_, ("x: down",)), NOON, 3600)
    assert [one.source for one in kept.quotes] == ["now", "edge"]
    assert [reason.split()[0] for reason in kept.reasons] == ["x:", *(one.source for one in given_[2:])]


@pytest.mark.parametrize("said", [None, True, "", "abc", "NaN", "sNaN", float("inf"), [], {}, "1" * 61, b"1"])
def test_what_is_no_number_has_a_reason(said: object) -> None:
    with pytest.raises(ValueError, match=r"it says no price|no number"):
        number(said)


def test_numbers_are_what_was_written() -> None:
    assert [str(number(said)) for said in ("412.500000000000001", 412, 0.1, Decimal("1.10"), " 7 ")] == [
        "412.500000000000001",
        "412",
        "0.1",
        "1.10",
        "7",
    ]


@pytest.mark.parametrize("price", ["0", "-0", "1e19", "1e999999", "1e-999999", "9.3e9"])
def test_an_absurd_price_is_refused_without_being_computed(price: str) -> None:
    with pytest.raises(ValueError, match=r"absurd|above zero"):
        fraction(Decimal(price))


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6), st.integers(0, 4), st.integers(0, 4))
def test_a_value_is_the_nearest_cent(units: int, nano: int, decimals: int, places: int) -> None:
    exact = Fraction(units, 10**decimals) * Fraction(nano, 10**9) * 10**places
    found = value(units, nano, decimals=decimals, places=places)
    assert abs(found - exact) <= Fraction(1, 2)
    if abs(found - exact) == Fraction(1, 2):
        assert found % 2 == 0


def test_values_to_read() -> None:
    price = Price(NOON, "USD", 412_500_000_000, "manual")
    assert value(10**9, price.price_nano) == 41_250
    assert value_text(12_500_000_000, price) == "5156.25 USD"
    assert value_text(-(10**9), price) == "-412.50 USD"
    assert value_text(10**9, Price(NOON, "JPY", 62_000_500_000_000, "manual")) == "62000 JPY"
    assert value_text(10**9, None) == "unknown"
    assert value_text(10**18, Price(NOON, "EUR", 2 * 10**9, "manual"), decimals=18) == "2.00 EUR"


@given(st.integers(1, LARGEST_NANO))
def test_a_price_reads_back_as_it_was_written(nano: int) -> None:
    assert parse_price(price_text(nano), field="price") == nano
    assert to_nano(Fraction(nano, 10**9)) == nano


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "a price of zero"),
        ("0.000", "a price of zero"),
        ("-1", "is not a price"),
        ("abc", "is not a price"),
        ("1,234.50", "is not a price"),
        ("", "is not a price"),
        ("1e3", "is not a price"),
        ("nan", "is not a price"),
        ("1.0000000001", "more than 9 decimal places"),
        ("9223372036.854775808", "absurdly large"),
    ],
)
def test_a_price_that_cannot_be_used_says_why_and_how_to_write_it(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_price(text, field="price")
    assert said in caught.value.what
    assert "like 412.50" in caught.value.fix


def test_a_day_is_its_first_moment_in_utc() -> None:
    moments = {
        "2026-01-31": datetime(2026, 1, 31, tzinfo=UTC),
        " 2026-01-31 14:30 ": datetime(2026, 1, 31, 14, 30, tzinfo=UTC),
        "2026-01-31T14:30:05Z": datetime(2026, 1, 31, 14, 30, 5, tzinfo=UTC),
        "2026-01-31 14:30+02:00": datetime(2026, 1, 31, 12, 30, tzinfo=UTC),
        "2026-01-31T14:30:05.123456+00:00": datetime(2026, 1, 31, 14, 30, 5, 123_000, tzinfo=UTC),
    }
    assert {text: parse_moment(text, field="at") for text in moments} == moments


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "31.01.2026",
        "01/31/2026",
        "2026-02-30",
        "2026-1-1",
        "20260101",
        "1950-01-01",
        "0001-01-01",
        "2026-01-31 25:00",
        "9999-12-31 23:59-23:59",
        "2026-01-31 14:30 +02:00",
        "\u0662026-01-01",
    ],
)
def test_a_date_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not a date"):
        parse_moment(text, field="at")


def test_the_future_has_no_price() -> None:
    check_past(NOON, NOON, field="at")
    with pytest.raises(BadInput, match="has not come yet"):
        check_past(NOON + timedelta(minutes=1), NOON, field="at")


def test_spans() -> None:
    assert [span_text(seconds) for seconds in (5, 119, 120, 7199, 7200, 200_000)] == [
        "5 s",
        "119 s",
        "2 min",
        "120 min",
        "2 h",
        "2 days",
    ]


@pytest.mark.parametrize(
    "text",
    ["2026-01-31 00:00:00 UTC", "2026-01-31 00:00:00Z", "2026-01-31T00:00:00 GMT"],
)
def test_a_date_is_read_as_statements_and_price_services_write_it(text: str) -> None:
    assert parse_moment(text, field="Date") == datetime(2026, 1, 31, tzinfo=UTC)
