"""What all charts share in the terminal: lines drawn with dots, eight to a character."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of one character
EMPTY = 0x2800
COLOURS = (36, 33, 32, 35)  # of a terminal: cyan, yellow, green, magenta
LEAST_WIDTH, MARGIN = 44, 10


def panel(
    name: str, at: Sequence[datetime], values: Sequence[float], *, width: int, height: int = 7, colour: int = 0
) -> list[str]:
    """One line over time as rows of text: its name and last value, then the drawing beside its figures.

    at: ascending; values: as many. width: of the whole in characters, height: of the drawing.
    """
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    figures = [_figure(high - (high - low) * row / (height - 1)) for row in range(height)]
    margin = max(MARGIN, *map(len, figures))
    columns = max(width, LEAST_WIDTH) - margin - 3
    cells = [[EMPTY] * columns for _ in range(height)]
    for x, y in _path(_places(at, columns * 2), [(value - low) / (high - low) for value in values], height * 4):
        cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
    drawn = ["".join(map(chr, row)).replace(chr(EMPTY), " ") for row in cells]
    paint = f"\x1b[{COLOURS[colour % len(COLOURS)]}m"
    head = f"{paint}━━\x1b[0m {name}: {_figure(values[-1])}"
    body = [
        f"{figure if row % 3 == 0 else '':>{margin}} {'┤' if row % 3 == 0 else '│'}{paint}{text}\x1b[0m"
        for row, (figure, text) in enumerate(zip(figures, drawn, strict=True))
    ]
    return [head, *body]


def time_axis(at: Sequence[datetime], *, width: int) -> list[str]:
    """The line under the panels: when they begin and end, in UTC."""
    first, last = (f"{one.astimezone(UTC):%Y-%m-%d %H:%M}" for one in (at[0], at[-1]))
    room = max(width, LEAST_WIDTH) - len(first) - len(last) - 1
    return [f"{first}{'UTC':^{max(room, 5)}}{last}" if at[0] != at[-1] else f"{first} UTC"]


def _places(at: Sequence[datetime], dots: int) -> list[int]:
    """Where each instant is, in dots from the left."""
    span = (at[-1] - at[0]).total_seconds() or 1.0
    return [round((one - at[0]).total_seconds() / span * (dots - 1)) for one in at]


def _path(across: Sequence[int], up: Sequence[float], rows: int) -> set[tuple[int, int]]:
    """All dots of the line through some points; up: 0 at the bottom to 1 at the top."""
    down = [round((1 - share) * (rows - 1)) for share in up]
    dots = {(across[0], down[0])}
    for place in range(1, len(across)):
        (x0, y0), (x1, y1) = (across[place - 1], down[place - 1]), (across[place], down[place])
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        dots |= {(round(x0 + (x1 - x0) * n / steps), round(y0 + (y1 - y0) * n / steps)) for n in range(steps + 1)}
    return dots


def _figure(value: float) -> str:
    """A number for an axis: thousands apart, few decimals."""
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.2f}"
