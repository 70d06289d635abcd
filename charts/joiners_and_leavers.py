"""Who came and who went, day by day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from charts.drawing import blocks, braille, labels, lines, paint, panels
from valtrac.reports.model import history
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import Movement

TITLE = "Joiners and leavers"
NAME = "joiners-and-leavers"
ORDER = 90
OF = "payouts"
WHAT = (
    "How many nominators there were at the end of each day (UTC), and below it how many came (up) and went (down) on "
    "that day: stake where there was none the day before, and none where there was some."
)
EMPTY = "nobody came or went in this range"
BARS = 370


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return history.movements(source.record.history), {}


def draw(rows: Sequence[Movement], *, unit: str) -> Any:
    """A matplotlib Figure: heads above, bars up and down below. unit: of the stakes, which are not shown."""
    if not rows:
        return panels.nothing(TITLE, EMPTY)
    days = max(1, math.ceil(len(rows) / BARS))
    per = "per day" if days == 1 else f"per {days} days"
    figure, (above, below) = panels.timed(TITLE, _under(rows), ["nominators", f"came and went\n({per})"])
    heads = [float(row.heads) for row in rows]
    lines.line(above, [_noon(row.day) for row in rows], heads, label="nominators", colour=paint.BLUE)
    lines.scale(above, heads)
    groups = [rows[place : place + days] for place in range(0, len(rows), days)]
    middles = [_noon(group[0].day) + timedelta(days=(days - 1) / 2) for group in groups]
    came, went = [sum(row.joined for row in group) for group in groups], [sum(r.left for r in g) for g in groups]
    wide = timedelta(days=days * 0.8)
    up = below.bar(middles, came, width=wide, color=paint.GREEN, linewidth=0)
    down = below.bar(middles, [-number for number in went], width=wide, color=paint.RED, linewidth=0)
    below.axhline(0, color=paint.QUIET, linewidth=0.8)
    _whole_numbers(below)
    panels.legend(below, [up, down], ["came", "went"])
    return figure


def sketch(rows: Sequence[Movement], *, unit: str, width: int) -> str:
    """Heads as a line, then bars up for who came and down for who went."""
    if not rows:
        return EMPTY
    width, noons = labels.fitted(width), [_noon(row.day) for row in rows]
    drawn = labels.head(TITLE, _under(rows), width)
    heads = [float(row.heads) for row in rows]
    line = braille.Line("nominators", noons, heads)
    drawn += [*braille.panel(line, width=width, height=4, axis=lambda value: f"{value:,.0f}"), ""]
    columns, ends = width - braille.MARGIN - 3, (noons[0], noons[-1])
    came = blocks.in_time(noons, [row.joined for row in rows], ends, columns)
    went = blocks.in_time(noons, [row.left for row in rows], ends, columns)
    most = max(*came, *went, 1)
    days = max(1, round(len(rows) / columns))
    per = "a day" if days == 1 else f"about {days} days"
    drawn.append(
        f"{blocks.painted('━━', blocks.GREEN)} came   {blocks.painted('━━', blocks.RED)} went   (in {per} each)"
    )
    for values, colour, down in ((came, blocks.GREEN, False), (went, blocks.RED, True)):
        bars = blocks.standing(values, height=3, most=most, down=down)
        for row, bar in enumerate(bars):
            figure = f"{most:,.0f}" if row == (2 if down else 0) else ""
            axis = "┤" if figure else "│"
            drawn.append(f"{figure:>{braille.MARGIN}} {axis}{blocks.painted(bar, colour)}")
    return "\n".join([*drawn, "", *braille.time_axis(noons, width=width - 1)])


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def _whole_numbers(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=panels.STEPS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):,.0f}"))


def _under(rows: Sequence[Movement]) -> str:
    came, went = sum(row.joined for row in rows), sum(row.left for row in rows)
    heads = labels.count(rows[-1].heads, "nominator")
    return f"{labels.count(len(rows), 'day')}: {came:,} came, {went:,} went, {heads} at the end"
