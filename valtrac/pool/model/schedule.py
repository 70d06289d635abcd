"""When the days of payment are. Pure; all in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_MONDAY = datetime(2018, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
AHEAD = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Every so many days at an hour; with a weekday every so many weeks. days: 1..31; hour: 0..23."""

    days: int = 1
    hour: int = 0
    weekday: str = ""

    def last(self, now: datetime) -> datetime:
        """The newest moment of payment up to now."""
        step, first = self._grid()
        return first + (now - first) // step * step

    def next(self, now: datetime) -> datetime:
        """The first moment of payment after now."""
        return self.last(now) + self._grid()[0]

    def _grid(self) -> tuple[timedelta, datetime]:
        first = FIRST_MONDAY + timedelta(hours=self.hour)
        if not self.weekday:
            return self.days * DAY, first
        return self.days * 7 * DAY, first + WEEKDAYS.index(self.weekday) * DAY


def believed(clock: datetime, chain: datetime) -> datetime:
    """The clock of this machine, as far as the newest block's time bears it out: it may not be hours ahead of that."""
    return min(clock, chain + AHEAD)


def due(schedule: Schedule, *, clock: datetime, chain: datetime, since: datetime) -> datetime | None:
    """The moment of payment that has come and was not kept yet; None: none.

    clock: of this machine. chain: the time stamp of the newest block, which nobody here can set: a clock that runs
    ahead of it by more than two hours brings no payday forward. since: the last payday's moment, or when the pool
    began: one that was missed for days is kept once, and a clock set back repeats none.
    """
    moment = schedule.last(believed(clock, chain))
    return moment if moment > since else None
