"""The weight of a Qtum pool over time, and its part of the network's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import braille, labels, lines, paint
from charts.drawing import panels as sheets
from valtrac.reports.model.pool_figures import WeightPoint
from valtrac.reports.model.sources import PoolFigures

TITLE = "Qtum pool: weight and share"
NAME = "pool-weight"
ORDER = 150
OF = "pool"
UNIT = "QTUM"
WHAT = (
    "The coins that may stake at each block that was looked at: those delegated to the pool and its own, in QTUM; "
    "below, both together as a part of the whole network's weight, in percent: about as many of its blocks are won."
)
EMPTY = "no block was looked at yet"


def rows(source: PoolFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return source.weights, {}


def draw(points: Sequence[WeightPoint], *, unit: str) -> Any:
    """A matplotlib Figure: weights above, the part of the network below."""
    if not points:
        return sheets.nothing(TITLE, EMPTY)
    figure, (above, below) = sheets.timed(TITLE, _under(points, unit), [f"weight ({unit})", "part (%)"])
    times = [point.at for point in points]
    delegated, own = [point.delegated for point in points], [point.own for point in points]
    drawn = [
        lines.line(above, times, delegated, label="delegated", colour=paint.BLUE),
        lines.line(above, times, own, label="own", colour=paint.COLOURS[5], style="--"),
    ]
    lines.scale(above, delegated, own, from_zero=True)
    sheets.legend(above, drawn, ["delegated", "the pool's own"])
    part = [point.part for point in points]
    drawn = [lines.line(below, times, part, label="part", colour=paint.GREEN)]
    lines.scale(below, part, from_zero=True)
    sheets.legend(below, drawn, ["of the network's weight"])
    return figure


def sketch(points: Sequence[WeightPoint], *, unit: str, width: int) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not points:
        return EMPTY
    width, times = labels.fitted(width), [point.at for point in points]
    rows = labels.head(TITLE, _under(points, unit), width)
    both = (
        braille.Line(f"delegated ({unit})", times, [point.delegated for point in points]),
        braille.Line(f"own ({unit})", times, [point.own for point in points], colour=1),
    )
    part = braille.Line("part of the network's weight (%)", times, [point.part for point in points], colour=2)
    rows += [*braille.panel(*both, width=width), "", *braille.panel(part, width=width)]
    return "\n".join([*rows, "", *braille.time_axis(times, width=width - 1)])


def _under(points: Sequence[WeightPoint], unit: str) -> str:
    last = points[-1]
    return (
        f"{labels.count(len(points), 'block')}; now {labels.figure(last.delegated)} {unit} delegated, "
        f"{labels.figure(last.own)} of its own, {labels.figure(last.part)} % of the network"
    )
