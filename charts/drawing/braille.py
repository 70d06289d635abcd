"""Lines in the terminal: drawn with dots, eight to a character."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

from charts.drawing import lines
from charts.drawing.labels import LEAST_WIDTH, cell, figure, width_of

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of one character
EMPTY = 0x2800
COLOURS = (36, 33, 32, 35)  # of a terminal: cyan, yellow, green, magenta
MARGIN, MOST = 10, 1_500


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the terminal. values: None leaves a gap. colour: a place in COLOURS. note: for the last value."""

    name: str
    at: Sequence[datetime]
    values: Sequence[float | None]
    colour: int = 0
    note: str = ""


def panel(
    *drawn: Line,
    width: int,
    height: int = 7,
    ends: tuple[datetime, datetime] | None = None,
    axis: Callable[[float], str] = figure,
) -> list[str]:
    """Lines over time on one scale as rows of text: their names and last values, then the drawing beside its figures.

    width: of the whole in characters, height: of the drawing; height 3n + 1 has a figure at both ends. ends: of the
    time, where it is not the first line's own. Where two lines meet in a character, the later one gives its colour.
    """
    width, ends = max(width, LEAST_WIDTH), ends or (drawn[0].at[0], drawn[0].at[-1])
    rows = [_head(line, width, axis) for line in drawn]
    known = [value for line in drawn for value in line.values if value is not None]
    if not known:
        return rows
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 1, high + 1
    figures = [axis(high - (high - low) * row / (height - 1)) for row in range(height)]
    margin = max(MARGIN, *map(len, figures))
    columns = width - margin - 3
    cells = [[EMPTY] * columns for _ in range(height)]
    colours = [[0] * columns for _ in range(height)]
    for line in drawn:
        times, values = lines.thin(line.at, line.values, MOST)
        for x, y in _path(_places(times, ends, columns * 2), values, (low, high), height * 4):
            cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
            colours[y // 4][x // 2] = COLOURS[line.colour % len(COLOURS)]
    for row, text in enumerate(figures):
        mark = f"{text if row % 3 == 0 else '':>{margin}} {'┤' if row % 3 == 0 else '│'}"
        rows.append(mark + _painted(cells[row], colours[row]))
    return rows


def time_axis(at: Sequence[datetime], *, width: int) -> list[str]:
    """The line under the panels: when they begin and end, in UTC."""
    shape = "%Y-%m-%d" if at[-1] - at[0] > timedelta(days=60) else "%Y-%m-%d %H:%M"
    first, last = (moment.astimezone(UTC).strftime(shape) for moment in (at[0], at[-1]))
    room = max(width, LEAST_WIDTH) - len(first) - len(last) - 1
    return [f"{first}{'UTC':^{max(room, 5)}}{last}" if at[0] != at[-1] else f"{first} UTC"]


def _head(line: Line, width: int, axis: Callable[[float], str]) -> str:
    known = next((value for value in reversed(line.values) if value is not None), None)
    last = line.note or ("not known" if known is None else axis(known))
    name = cell(line.name, min(width_of(line.name), width - 5 - width_of(last)))
    return f"\x1b[{COLOURS[line.colour % len(COLOURS)]}m━━\x1b[0m {name}: {last}"


def _painted(cells: Sequence[int], colours: Sequence[int]) -> str:
    """A row of dots, each stretch of one colour painted at once."""
    row = ""
    for colour, stretch in groupby(zip(cells, colours, strict=True), key=lambda pair: pair[1]):
        text = "".join(map(chr, (dots for dots, _ in stretch))).replace(chr(EMPTY), " ")
        row += f"\x1b[{colour}m{text}\x1b[0m" if colour else text
    return row


def _places(at: Sequence[datetime], ends: tuple[datetime, datetime], dots: int) -> list[int]:
    """Where each instant is, in dots from the left."""
    span = (ends[1] - ends[0]).total_seconds() or 1.0
    return [round((moment - ends[0]).total_seconds() / span * (dots - 1)) for moment in at]


def _path(
    across: Sequence[int], values: Sequence[float | None], scale: tuple[float, float], rows: int
) -> set[tuple[int, int]]:
    """All dots of the line through some points, broken at gaps."""
    low, high = scale
    dots: set[tuple[int, int]] = set()
    before: tuple[int, int] | None = None
    for x, value in zip(across, values, strict=True):
        if value is None:
            before = None
            continue
        here = x, round((1 - (value - low) / (high - low)) * (rows - 1))
        (x0, y0), (x1, y1) = before or here, here
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        dots |= {(round(x0 + (x1 - x0) * n / steps), round(y0 + (y1 - y0) * n / steps)) for n in range(steps + 1)}
        before = here
    return dots
