"""When what is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.alerts.model.schedule import daily, hourly, time_of_day, until_the_hour, wait_after

moments = st.integers(0, 10**7).map(lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-10T{text}+00:00")


@pytest.mark.parametrize(
    ("now", "hour"),
    [("11:59:55", None), ("11:59:56", "12:00:00"), ("12:04:55", "12:00:00"), ("12:04:56", None), ("12:30:00", None)],
)
def test_an_hourly_status_is_due_at_59_56_and_is_not_made_up_later(now: str, hour: str | None) -> None:
    assert hourly(at(now)) == (None if hour is None else at(hour))


@given(moments)
def test_whoever_waits_until_the_hour_finds_the_status_due(now: datetime) -> None:
    wait = until_the_hour(now)
    assert timedelta(0) < wait <= timedelta(hours=1)
    due = hourly(now + wait)
    assert due is not None
    assert due - timedelta(seconds=4) == now + wait


def test_a_daily_status_is_of_the_day_on_the_owners_wall() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    assert daily(at("02:29:59"), time(8), kolkata) == date(2026, 3, 9)
    assert daily(at("02:30:00"), time(8), kolkata) == date(2026, 3, 10)


def test_another_try_waits_twice_as_long_each_time_and_an_hour_at_most() -> None:
    waits = [wait_after(tries).total_seconds() for tries in range(1, 11)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert wait_after(10**6) == timedelta(hours=1)


@pytest.mark.parametrize("text", ["8", "25:00", "noon", "08:00:00"])
def test_what_is_no_time_is_said_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="08:00"):
        time_of_day(text)
