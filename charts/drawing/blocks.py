"""Bars in the terminal: lying, standing, to both sides, and as small as one row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

LYING = " ▏▎▍▌▋▊▉█"
STANDING = " ▁▂▃▄▅▆▇█"
CYAN, YELLOW, GREEN, MAGENTA, RED, GREY = 36, 33, 32, 35, 31, 90


def painted(text: str, colour: int) -> str:
    """A text in one of a terminal's colours."""
    return f"\x1b[{colour}m{text}\x1b[0m" if text.strip() else text


def lying(share: float, columns: int) -> str:
    """A bar to the right, as long as its share (0 to 1) of so many columns; what is above zero is seen."""
    eighths = min(max(round(share * columns * 8), 1 if share > 0 else 0), columns * 8)
    text = "█" * (eighths // 8) + (LYING[eighths % 8] if eighths % 8 else "")
    return text.ljust(columns)


def both_ways(share: float, columns: int) -> str:
    """A bar from the middle: left below zero, right above; share: -1 to 1; it takes 2 * columns + 1."""
    halves = min(max(round(abs(share) * columns * 2), 1 if share else 0), columns * 2)
    full, half = divmod(halves, 2)
    if share < 0:
        return f"{('▐' if half else '') + '█' * full:>{columns}}│{' ' * columns}"
    return f"{' ' * columns}│{'█' * full + ('▌' if half else ''):<{columns}}"


def standing(values: Sequence[float], *, height: int, most: float | None = None, down: bool = False) -> list[str]:
    """Bars side by side, one column each, as rows from above; values: none below zero. down: they hang instead."""
    high = (max(values, default=0.0) if most is None else most) or 1.0
    tall = [min(max(round(value / high * height * 8), 1 if value > 0 else 0), height * 8) for value in values]
    if down:  # there are no blocks that hang, so these end at whole and half signs
        marks = [min((eighths + 3) // 4, height * 2) for eighths in tall]
        return ["".join(" ▀█"[min(max(mark - row * 2, 0), 2)] for mark in marks) for row in range(height)]
    rows = range(height - 1, -1, -1)
    return ["".join(STANDING[min(max(eighths - row * 8, 0), 8)] for eighths in tall) for row in rows]


def spark(at: Sequence[datetime], values: Sequence[float], columns: int) -> str:
    """A series over time in one row, from zero to its own largest: each column its largest, or what was last."""
    high, span = max(values, default=0.0) or 1.0, (at[-1] - at[0]).total_seconds() or 1.0
    tall = [-1.0] * columns
    for moment, value in zip(at, values, strict=True):
        place = int((moment - at[0]).total_seconds() / span * (columns - 1))
        tall[place] = max(tall[place], value)
    for place in range(1, columns):
        tall[place] = tall[place] if tall[place] >= 0 else tall[place - 1]
    return "".join(STANDING[min(max(round(value / high * 8), 1 if value > 0 else 0), 8)] for value in tall)


def in_time(
    at: Sequence[datetime], values: Sequence[float], ends: tuple[datetime, datetime], columns: int
) -> list[float]:
    """What falls into each column of a time axis, added up."""
    sums, span = [0.0] * columns, (ends[1] - ends[0]).total_seconds() or 1.0
    for moment, value in zip(at, values, strict=True):
        place = round((moment - ends[0]).total_seconds() / span * (columns - 1))
        sums[min(max(place, 0), columns - 1)] += value
    return sums
