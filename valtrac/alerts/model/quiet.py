"""Hours in which nobody is disturbed, by the clock on the owner's wall. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_SPAN = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
DAY_M = 24 * 60
NONE = "none"
# the old program looked at the hour in four seconds, so that its mail of 06:59:56 was not quiet any more
LEAD = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of a day [start, end); an end before the start is on the next day."""

    start: int
    end: int

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day is in it."""
        if self.start <= self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Spans of each day in a time zone."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    def at(self, now: datetime) -> bool:
        """Whether it is quiet at a moment."""
        local = (now + LEAD).astimezone(self.zone)
        return any(span.holds(local.hour * 60 + local.minute) for span in self.spans)

    def end(self, now: datetime) -> datetime | None:
        """When it is not quiet any more; `now` where it is not quiet, None where it always is.

        Looked for minute by minute of real time, so that a change of the clocks is counted as it comes.
        """
        if not self.at(now):
            return now
        moment = (now + LEAD).replace(second=0, microsecond=0) - LEAD
        for _ in range(2 * DAY_M):
            moment += timedelta(minutes=1)
            if not self.at(moment):
                return moment
        return None


def span_of(text: str) -> Span:
    """`23:00-07:00` as minutes. Raises ValueError in words."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()[:20]!r} are no hours; write them like 23:00-07:00")
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if start >= DAY_M or end > DAY_M or start == end:
        raise ValueError(f"{text.strip()}: from a time to another one, like 23:00-07:00")
    return Span(start, end)


def spans_of(texts: Sequence[str]) -> tuple[Span, ...]:
    """Hours as the settings write them; `none` for none. Raises ValueError."""
    return () if tuple(text.lower() for text in texts) == (NONE,) else tuple(map(span_of, texts))
