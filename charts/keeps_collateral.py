"""The collateral of tBTC keeps over time, beside the thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from charts.drawing import braille, labels, lines, paint
from charts.drawing import panels as sheets
from valtrac.reports.model.keeps_figures import Collateral
from valtrac.reports.model.sources import KeepsFigures

TITLE = "tBTC keeps: collateral over time"
NAME = "keeps-collateral"
ORDER = 160
OF = "keeps"
UNIT = "%"
WHAT = (
    "The collateral of your operators' keeps in percent of what it secures, each time that it was seen to change: the "
    "lowest one, and each keep by itself; beside your own threshold, below which a deposit is redeemed, that of the "
    "courtesy call and that of liquidation. A line ends where its deposit cannot be redeemed any more."
)
EMPTY = "no keep of your operators was seen yet"
EACH, POINTS = 40, 400  # keeps that are drawn by themselves, and points of each


def rows(source: KeepsFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return source.collateral, {}


def draw(told: Collateral, *, unit: str) -> Any:
    """A matplotlib Figure: each keep thin, the lowest one thick, the thresholds across."""
    if not told.times:
        return sheets.nothing(TITLE, EMPTY)
    figure, (axes,) = sheets.timed(TITLE, _under(told), [f"collateral ({unit})"], height=4.2)
    for points in list(told.series.values())[:EACH]:
        at, values = lines.thin(*_to_the_end(points, told.times[-1]), POINTS)
        axes.plot(at, values, color=paint.GRID, linewidth=1.0, drawstyle="steps-post", zorder=1)
    lowest = lines.line(axes, list(told.times), list(told.lowest), label="the lowest", colour=paint.BLUE, steps=True)
    drawn, names = [lowest], ["the lowest keep"]
    looks = ((paint.GREEN, "-."), (paint.COLOURS[5], "--"), (paint.RED, ":"))
    said = ("yours", "courtesy call", "liquidation")
    for percent, (colour, style), name in zip(told.thresholds, looks, said, strict=True):
        drawn.append(axes.axhline(percent, color=colour, linestyle=style, linewidth=1.4))
        names.append(f"{name}: below {percent} %")
    known = [value for value in told.lowest if value is not None]
    lines.scale(axes, [*known, *map(float, told.thresholds)])
    sheets.legend(axes, drawn, names)
    return figure


def sketch(told: Collateral, *, unit: str, width: int) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not told.times:
        return EMPTY
    width, times = labels.fitted(width), list(told.times)
    drawn = [braille.Line(f"the lowest keep ({unit})", times, list(told.lowest))]
    for number, (percent, name) in enumerate(
        zip(told.thresholds, ("yours", "courtesy call", "liquidation"), strict=True), 1
    ):
        drawn.append(braille.Line(f"{name}", times, [float(percent)] * len(times), colour=number))
    rows_ = labels.head(TITLE, _under(told), width)
    rows_ += braille.panel(*drawn, width=width, height=9)
    return "\n".join([*rows_, "", *braille.time_axis(times, width=width - 1)])


def _to_the_end(
    points: Sequence[tuple[datetime, float | None]], end: datetime
) -> tuple[list[datetime], list[float | None]]:
    """A keep's own points, its last percentage holding until the end of the picture."""
    at, values = [moment for moment, _ in points], [value for _, value in points]
    if values[-1] is not None and at[-1] < end:
        return [*at, end], [*values, values[-1]]
    return at, values


def _under(told: Collateral) -> str:
    last = told.lowest[-1]
    now = "none can be redeemed now" if last is None else f"the lowest is at {last:.0f} % now"
    known = [value for value in told.lowest if value is not None]
    least = f"; it was at {min(known):.0f} % at least" if known else ""
    return f"{labels.count(len(told.series), 'keep')}: {now}{least}"
