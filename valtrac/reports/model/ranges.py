"""A range of the record as people say it: blocks, dates, or a preset such as `30d`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from valtrac.core.errors import BadInput
from valtrac.core.text import plain

PRESETS = {
    "7d": "the last 7 days",
    "30d": "the last 30 days",
    "90d": "the last 90 days",
    "365d": "the last year",
    "all": "everything",
}
LAST_BLOCK = 2**32 - 1
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_SPAN = re.compile(r"(\d{1,4})d")


class Bound(NamedTuple):
    """One end of a range: a block, or a time in UTC; both None: open."""

    block: int | None = None
    at: datetime | None = None


def bound(text: str | None, *, field: str, end: bool = False) -> Bound:
    """A block number or a date (UTC); as an end, a date counts whole. Raises BadInput naming the field."""
    if text is None or not text.strip():
        return Bound()
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= LAST_BLOCK:
        return Bound(block=int(text))
    if _DAY.fullmatch(text) and text.isascii():
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError as error:
            raise BadInput(f"{field}: there is no day {text}", fix="write it like 2026-10-31") from error
        return Bound(at=day + timedelta(days=1, microseconds=-1) if end else day)
    raise BadInput(f"{field}: {plain(text, 40)!r} is no block and no date", fix="write 123456, or 2026-10-31")


def preset(text: str, newest: datetime) -> Bound:
    """Where `30d` (any number of days back from the newest snapshot) or `all` begins. Raises BadInput."""
    match = _SPAN.fullmatch(text.strip().lower())
    if text.strip().lower() == "all":
        return Bound()
    if match is None or int(match[1]) == 0:
        raise BadInput(f"range: {plain(text, 40)!r} is none of {', '.join(PRESETS)}", fix="write 30d, or all")
    return Bound(at=newest - timedelta(days=int(match[1])))


def month(text: str) -> tuple[datetime, datetime]:
    """The first instants of a month such as 2026-10 and of the next, or of a year such as 2026. Raises BadInput."""
    text = text.strip()
    match = _MONTH.fullmatch(text) if text.isascii() else None
    if match and 1 <= int(match[2]) <= 12 and 1970 <= int(match[1]) < 9999:
        year, number = int(match[1]), int(match[2])
        return (
            datetime(year, number, 1, tzinfo=UTC),
            datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC),
        )
    if text.isascii() and text.isdecimal() and len(text) == 4 and 1970 <= int(text) < 9999:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    raise BadInput(f"period: {plain(text, 40)!r} is no month and no year", fix="write 2026-10, or 2026")
