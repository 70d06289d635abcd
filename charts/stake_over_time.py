"""Stake over time: what nominators and the owner have on a hotkey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import braille, labels, lines, paint
from charts.drawing import panels as sheets
from valtrac.reports.model import measures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import StakePoint

TITLE = "Stake over time"
NAME = "stake-over-time"
ORDER = 10
OF = "payouts"
WHAT = (
    "What all nominators together and the owner alone have staked at each snapshot, in TAO or in alpha of one subnet. "
    "Each panel has its own scale, which need not begin at zero."
)
EMPTY = "no snapshots in this range"


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return measures.totals(source.record), {}


def draw(points: Sequence[StakePoint], *, unit: str) -> Any:
    """A matplotlib Figure: everyone's stake above, the owner's own below, each on its own scale."""
    if not points:
        return sheets.nothing(TITLE, EMPTY)
    figure, panels = sheets.timed(TITLE, _under(points), [f"nominators ({unit})", f"owner ({unit})"])
    times, series = (
        [point.at for point in points],
        ([point.others for point in points], [point.owner for point in points]),
    )
    for number, (axes, values, name) in enumerate(zip(panels, series, ("nominators", "owner's own"), strict=True)):
        drawn = lines.line(axes, times, values, label=name, colour=paint.COLOURS[number])
        lines.scale(axes, values)
        sheets.legend(axes, [drawn], [name])
    return figure


def sketch(points: Sequence[StakePoint], *, unit: str, width: int) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not points:
        return EMPTY
    width, times = labels.fitted(width), [point.at for point in points]
    rows = labels.head(TITLE, _under(points), width)
    others = braille.Line(f"nominators ({unit})", times, [point.others for point in points])
    owner = braille.Line(f"owner's own ({unit})", times, [point.owner for point in points], colour=1)
    rows += [*braille.panel(others, width=width), "", *braille.panel(owner, width=width)]
    return "\n".join([*rows, "", *braille.time_axis(times, width=width - 1)])


def _under(points: Sequence[StakePoint]) -> str:
    heads = labels.count(points[-1].heads, "nominator")
    return f"{labels.count(len(points), 'snapshot')} to block {points[-1].block}, {heads}"
