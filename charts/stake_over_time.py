"""Stake over time: what nominators and the owner have on a hotkey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts import braille, paint
from valtrac.domain.statistics import StakePoint

TITLE = "Stake over time"
NAME = "stake-over-time"
ORDER = 10
EMPTY = "no snapshots in this range"


def draw(points: Sequence[StakePoint], *, unit: str) -> Any:
    """A matplotlib Figure: everyone's stake above, the owner's own below, each on its own scale."""
    figure, (above, below) = paint.panels(TITLE, _under(points), [f"nominators ({unit})", f"owner ({unit})"])
    if not points:
        for axes in (above, below):
            axes.text(0.5, 0.5, EMPTY, ha="center", va="center", transform=axes.transAxes, color="#555555")
            axes.set_yticks([])
        below.set_xticks([])
        return figure
    at = [point.at for point in points]
    paint.line(above, at, [point.others for point in points], label="nominators", colour=paint.COLOURS[0])
    paint.line(below, at, [point.owner for point in points], label="owner's own", colour=paint.COLOURS[1])
    return figure


def sketch(points: Sequence[StakePoint], *, unit: str, width: int) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not points:
        return EMPTY
    width, at = min(width, 110), [point.at for point in points]
    rows = [f"\x1b[1m{TITLE}\x1b[0m", _under(points), ""]
    rows += braille.panel(f"nominators ({unit})", at, [point.others for point in points], width=width, colour=0)
    rows += ["", *braille.panel(f"owner's own ({unit})", at, [point.owner for point in points], width=width, colour=1)]
    return "\n".join([*rows, "", *braille.time_axis(at, width=width - 1)])


def _under(points: Sequence[StakePoint]) -> str:
    if not points:
        return EMPTY
    return f"{len(points)} snapshots to block {points[-1].block}, {points[-1].heads} nominators"
