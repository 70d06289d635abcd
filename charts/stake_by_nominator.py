"""Whose stake it is: the largest nominators, one on top of the other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from charts.drawing import blocks, braille, labels, lines, paint, panels
from valtrac.reports.model import measures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import StakeStack

TITLE = "Stake by nominator"
NAME = "stake-by-nominator"
ORDER = 50
OF = "payouts"
WHAT = (
    "The stake of the largest nominators at each snapshot, one on top of the other, the largest at the bottom; all "
    "that are not named are added up as others. In TAO or in alpha of one subnet."
)
EMPTY = "no stakes in this range"
OTHERS = "others"
HOUR = timedelta(hours=1)
MOST, POINTS = 12, 120
COLOURS = (*paint.COLOURS[:2], *paint.COLOURS[2:6], paint.COLOURS[6])
HATCHES = ("", "///", "...")


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return measures.stack(source.record), {}


def draw(rows: StakeStack, *, unit: str) -> Any:
    """A matplotlib Figure: areas on top of each other, their names beside them in the same order."""
    if not rows.at or not rows.stakes:
        return panels.nothing(TITLE, EMPTY)
    layers = _layers(rows)
    total = [sum(values) for values in zip(*(layer for _, layer in layers), strict=True)]
    extremes = [lines.kept(values, POINTS) for values in (total, *(layer for _, layer in layers))]
    places = sorted(set().union(*extremes))
    figure, (axes,) = panels.timed(TITLE, _under(rows), [f"stake ({unit})"], height=5.2)
    times = [rows.at[place] for place in places]
    if times[0] == times[-1]:  # an area needs a width
        times, places = [times[0] - HOUR, times[0] + HOUR], [places[-1]] * 2
    areas = []
    below = [0.0] * len(places)
    for number, (name, values) in enumerate(layers):
        above = [low + values[place] for low, place in zip(below, places, strict=True)]
        other = name == OTHERS
        areas.append(
            axes.fill_between(
                times,
                below,
                above,
                linewidth=0.4,
                edgecolor=paint.PAPER,
                facecolor=paint.OTHERS if other else COLOURS[number % len(COLOURS)],
                hatch="" if other else HATCHES[number // len(COLOURS)],
            )
        )
        below = above
    axes.set_ylim(0, max(max(total) * 1.06, 1e-9))
    axes.margins(x=0)
    lines.around(axes, rows.at)
    panels.legend(axes, areas[::-1], [labels.short(name) for name, _ in layers][::-1], beside=True)
    return figure


def sketch(rows: StakeStack, *, unit: str, width: int) -> str:
    """The total as a line, then each nominator in a row of its own, from zero to its own largest."""
    if not rows.at or not rows.stakes:
        return EMPTY
    width, layers = labels.fitted(width), _layers(rows)
    total = [sum(values) for values in zip(*(layer for _, layer in layers), strict=True)]
    drawn = labels.head(TITLE, _under(rows), width)
    drawn += [*braille.panel(braille.Line(f"together ({unit})", rows.at, total), width=width, height=4), ""]
    figures = [labels.figure(values[-1]) for _, values in layers]
    parts = [f"{values[-1] / total[-1] * 100 if total[-1] else 0:.1f} %" for _, values in layers]
    names, wide, part = labels.column([name for name, _ in layers], width), max(map(len, figures)), max(map(len, parts))
    room = max(width - names - wide - part - 5, 6)
    for number, (name, values) in enumerate(layers):
        colour = blocks.GREY if name == OTHERS else (braille.COLOURS * 4)[number]
        row = blocks.painted(blocks.spark(rows.at, values, room), colour)
        drawn.append(f"{labels.cell(name, names)} {row}  {figures[number]:>{wide}} {parts[number]:>{part}}")
    return "\n".join([*drawn, "", *braille.time_axis(rows.at, width=width - 1)])


def _layers(rows: StakeStack) -> list[tuple[str, tuple[float, ...]]]:
    """The largest by name, and all the rest as others."""
    named = [(name, values) for name, values in rows.stakes.items() if name != OTHERS]
    rest = [values for _, values in named[MOST:]] + ([rows.stakes[OTHERS]] if OTHERS in rows.stakes else [])
    summed = [(OTHERS, tuple(map(sum, zip(*rest, strict=True))))] if rest else []
    return [*named[:MOST], *summed]


def _under(rows: StakeStack) -> str:
    named = [name for name in rows.stakes if name != OTHERS][:MOST]
    rest = " and others" if len(rows.stakes) > len(named) else ""
    names = f"{labels.count(len(named), 'nominator')}{rest}"
    return f"{labels.count(len(rows.at), 'snapshot')}, {names}, the largest at the end first"
