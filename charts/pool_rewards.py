"""What a Qtum pool won each day, and what it paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import blocks, braille, lines, paint, panels
from charts.drawing import labels as words
from valtrac.reports.model.pool_figures import PoolDay
from valtrac.reports.model.sources import PoolFigures

TITLE = "Qtum pool: rewards and payouts by day"
NAME = "pool-rewards"
ORDER = 140
OF = "pool"
UNIT = "QTUM"
WHAT = (
    "What the blocks of each day (UTC) brought, those won with delegated coins and those of the pool's own, and what "
    "each payday paid to delegates, in QTUM. What is paid on a day was won before it."
)
EMPTY = "no block was won and nothing was paid yet"
BARS = 300


def rows(source: PoolFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return source.days, {}


def draw(days: Sequence[PoolDay], *, unit: str) -> Any:
    """A matplotlib Figure: rewards above, payouts below, on one time axis."""
    if not days:
        return panels.nothing(TITLE, EMPTY)
    names = [f"won in a day ({unit})", f"paid on a day ({unit})"]
    figure, (above, below) = panels.timed(TITLE, _under(days, unit), names)
    times = [day.at for day in days]
    drawn = [
        _needles(above, times, [day.rewards + day.own for day in days], paint.COLOURS[5], "the pool's own"),
        _needles(above, times, [day.rewards for day in days], paint.BLUE, "delegates' blocks"),
    ]
    panels.legend(above, drawn, ["the pool's own", "delegates' blocks"])
    lines.scale(above, [day.rewards + day.own for day in days], from_zero=True)
    paid = _needles(below, times, [day.paid for day in days], paint.RED, "paid")
    panels.legend(below, [paid], ["paid to delegates"])
    lines.scale(below, [day.paid for day in days], from_zero=True)
    return figure


def sketch(days: Sequence[PoolDay], *, unit: str, width: int) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not days:
        return EMPTY
    width, ends = words.fitted(width), (days[0].at, days[-1].at)
    drawn = words.head(TITLE, _under(days, unit), width)
    drawn += _bars(f"won ({unit})", days, [day.rewards + day.own for day in days], width, 0)
    drawn += ["", *_bars(f"paid ({unit})", days, [day.paid for day in days], width, 1), ""]
    return "\n".join([*drawn, *braille.time_axis(ends, width=width - 1)])


def _needles(axes: Any, at: Sequence[Any], values: Sequence[float], colour: str, label: str) -> Any:
    chosen = lines.kept(values, BARS)
    width = max(1.2, min(8.0, BARS / len(at)))
    return axes.vlines(
        [at[place] for place in chosen],
        0,
        [values[place] for place in chosen],
        color=colour,
        linewidth=width,
        label=label,
    )


def _bars(head: str, days: Sequence[PoolDay], values: Sequence[float], width: int, colour: int) -> list[str]:
    margin = max(braille.MARGIN, len(words.figure(sum(values))))
    ends = (days[0].at, days[-1].at)
    sums = blocks.in_time([day.at for day in days], values, ends, width - margin - 3)
    most, least = words.figure(max(sums)), words.figure(0)
    bars = blocks.standing(sums, height=4)
    return [
        f"{blocks.painted('━━', braille.COLOURS[colour])} {head}",
        *(
            f"{most if row == 0 else least if row == 3 else '':>{margin}} {'┤' if row % 3 == 0 else '│'}"
            + blocks.painted(bar, braille.COLOURS[colour])
            for row, bar in enumerate(bars)
        ),
    ]


def _under(days: Sequence[PoolDay], unit: str) -> str:
    won, own, paid = (sum(values) for values in zip(*((d.rewards, d.own, d.paid) for d in days), strict=True))
    return (
        f"{words.count(len(days), 'day')}: {words.figure(won)} {unit} of delegates' blocks, {words.figure(own)} of the "
        f"pool's own; {words.figure(paid)} paid"
    )
