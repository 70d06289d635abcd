"""Quiet hours: by the clock on the owner's wall, whatever summer time does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.alerts.model.quiet import DAY_M, LEAD, QuietHours, Span, span_of, spans_of

OLD = spans_of(["23:00-07:00"])  # what the old program had: the hours 23 and 0 to 6
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Taipei",
]

minutes = st.integers(0, DAY_M - 1)
spans = st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Span(*pair))
hours = st.builds(QuietHours, st.lists(spans, max_size=3).map(tuple), st.sampled_from(ZONES).map(ZoneInfo))
# around the days on which clocks change, in both halves of the year
BEGINNINGS = [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC)]
moments = st.builds(
    lambda beginning, seconds: beginning + timedelta(seconds=seconds),
    st.sampled_from(BEGINNINGS),
    st.integers(0, 3 * 86_400),
)


@pytest.mark.parametrize(
    ("local", "quiet"),
    [
        ("22:59:45", False),
        ("22:59:56", True),
        ("23:40:17", True),
        ("06:49:05", True),
        ("06:59:55", True),
        ("06:59:56", False),
        ("07:29:38", False),
    ],
)
def test_the_old_programs_hours_are_the_same_to_the_second(local: str, quiet: bool) -> None:
    at = datetime.fromisoformat(f"2026-01-15T{local}+08:00").astimezone(UTC)
    assert QuietHours(OLD, ZoneInfo("Asia/Taipei")).at(at) is quiet


def test_a_zone_with_half_hours_counts_its_half_hours() -> None:
    hours = QuietHours(spans_of(["22:30-06:30"]), ZoneInfo("Asia/Kolkata"))  # UTC+5:30
    assert hours.at(datetime(2026, 1, 15, 17, 0, tzinfo=UTC))
    assert not hours.at(datetime(2026, 1, 15, 16, 59, tzinfo=UTC))
    assert hours.end(datetime(2026, 1, 15, 17, 0, tzinfo=UTC)) == datetime(2026, 1, 16, 1, 0, tzinfo=UTC) - LEAD


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-01", 8)])
def test_a_night_in_which_clocks_change_is_an_hour_shorter_or_longer(day: str, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begins = datetime.fromisoformat(f"{day}T23:00:00").replace(tzinfo=berlin).astimezone(UTC)
    end = QuietHours(OLD, berlin).end(begins)
    assert end is not None
    assert end + LEAD - begins == timedelta(hours=hours)


@given(hours, moments)
def test_the_end_is_the_first_moment_that_is_not_quiet(hours: QuietHours, now: datetime) -> None:
    end = hours.end(now)
    if end is None:
        assert all(hours.at(now + timedelta(minutes=step)) for step in range(0, DAY_M, 97))
        return
    assert end >= now
    assert not hours.at(end)
    if end > now:
        assert hours.at(now)
        assert hours.at(end - timedelta(seconds=1))
        steps = (end - now) // timedelta(minutes=1)
        assert all(hours.at(now + timedelta(minutes=step)) for step in range(0, steps, 97))


@given(hours, moments)
def test_whether_it_is_quiet_is_what_the_wall_clock_says(hours: QuietHours, now: datetime) -> None:
    wall = (now + LEAD).astimezone(hours.zone)
    minute = wall.hour * 60 + wall.minute
    inside = [
        span.start <= minute < span.end if span.start < span.end else minute >= span.start or minute < span.end
        for span in hours.spans
    ]
    assert hours.at(now) is any(inside)


@pytest.mark.parametrize("text", ["23-7", "25:00-07:00", "07:00-07:00", "24:00-01:00", "", "23:00 - 07:00x"])
def test_what_are_no_hours_is_said_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="23:00-07:00"):
        span_of(text)
