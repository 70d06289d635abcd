"""What the charts of rates share: lines in percent per year on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from charts.drawing import braille, labels, lines, paint, panels
from valtrac.reports.model.statistics import RatePoint

EMPTY = "no rates in this range"
LABEL = "percent per year (APR)"
PROJECTED = "projected, not paid yet"
LOOKS = {
    "before take": (paint.OTHERS, "--", 3),
    "after take": (paint.BLUE, "-", 0),
    "with rebate": (paint.RED, "-.", 1),
    PROJECTED: (paint.GREEN, ":", 2),
}


@dataclass(frozen=True, slots=True)
class Series:
    """Lines by their names over the same times; None where one is not known."""

    at: Sequence[datetime]
    named: Mapping[str, Sequence[float | None]]


def draw(title: str, series: Series, under: str) -> Any:
    """A matplotlib Figure: the lines on one scale."""
    if not series.at:
        return panels.nothing(title, EMPTY)
    figure, (axes,) = panels.timed(title, under, [LABEL], height=4.6)
    known = _known(series)
    drawn = []
    for name, values in known.items():
        colour, style, _ = LOOKS[name]
        drawn.append(lines.line(axes, series.at, values, label=name, colour=colour, style=style))
    lines.scale(axes, *known.values())
    panels.legend(axes, drawn, list(known))
    return figure


def sketch(title: str, series: Series, under: str, *, width: int) -> str:
    """The lines in a panel for a terminal of that width."""
    if not series.at:
        return EMPTY
    width = labels.fitted(width)
    drawn = [
        braille.Line(name, series.at, values, LOOKS[name][2], f"{labels.figure(_last(values))} % per year")
        for name, values in _known(series).items()
    ]
    rows = [*labels.head(title, under, width), *braille.panel(*drawn, width=width, height=10)]
    return "\n".join([*rows, "", *braille.time_axis(series.at, width=width - 1)])


def under(rows: Sequence[RatePoint], unit: str) -> str:
    """What the newest stretch brings, in words."""
    if not rows:
        return EMPTY
    last = rows[-1]
    text = f"{labels.count(len(rows), 'stretch', 'stretches')}; at the end {labels.figure(last.after)} % after take"
    for name, value in (("with rebate", last.rebate), ("projected, not paid yet", last.projected)):
        if value is not None:
            text += f", {labels.figure(value)} % {name} ({labels.signed(value - last.after)})"
    nothing = ", not paid yet" if last.rebate is None and last.projected is None else ""
    return f"{text}{nothing}, on {unit}"


def _known(series: Series) -> dict[str, Sequence[float | None]]:
    """The lines with anything on them."""
    return {name: values for name, values in series.named.items() if any(value is not None for value in values)}


def _last(values: Sequence[float | None]) -> float:
    return next(value for value in reversed(values) if value is not None)
