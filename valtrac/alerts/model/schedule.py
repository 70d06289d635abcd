"""When what is due: statuses, the daily digest, another try, a sign of life. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = timedelta(hours=1)
BEFORE_THE_HOUR = timedelta(seconds=4)  # at xx:59:56, as the old program did
NOT_MADE_UP_AFTER = timedelta(minutes=5)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), HOUR


def hourly(now: datetime) -> datetime | None:
    """The hour that a status is due for at a moment: from four seconds before it on, for five minutes; else None."""
    hour = (now + BEFORE_THE_HOUR).replace(minute=0, second=0, microsecond=0)
    return hour if now - (hour - BEFORE_THE_HOUR) < NOT_MADE_UP_AFTER else None


def until_the_hour(now: datetime) -> timedelta:
    """How long until the next moment of an hourly status."""
    hour = (now + BEFORE_THE_HOUR).replace(minute=0, second=0, microsecond=0)
    return hour + HOUR - BEFORE_THE_HOUR - now


def time_of_day(text: str) -> time:
    """`08:00` as a time. Raises ValueError in words."""
    try:
        return datetime.strptime(text.strip(), "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone
    except ValueError as error:
        raise ValueError(f"{text.strip()[:20]!r} is no time; write it like 08:00") from error


def daily(now: datetime, at: time, zone: ZoneInfo) -> date:
    """The day, by the owner's clock, whose daily status is the last that was due."""
    local = now.astimezone(zone)
    return local.date() if local.time() >= at else local.date() - timedelta(days=1)


def wait_after(tries: int) -> timedelta:
    """How long after its n-th try a message is tried again: 30 s, then twice as long each time, an hour at most."""
    doubled: int = 2 ** (min(tries, 20) - 1)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)
