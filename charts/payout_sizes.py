"""How large payments are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from charts.drawing import blocks, labels, paint, panels
from valtrac.reports.model import measures
from valtrac.reports.model.sources import PayoutFigures

TITLE = "Sizes of payments"
NAME = "payout-sizes"
ORDER = 100
OF = "payouts"
UNIT = "TAO"
WHAT = (
    "How many payments were of which size. Where the largest is more than a hundred times the smallest, each bar "
    "stands for the same factor instead of the same distance. The median is the payment in the middle: half of all "
    "are smaller."
)
EMPTY = "no payments in this range"
WIDE, MOST, MOST_ROWS = 100, 40, 14


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return measures.sizes(source.record), {}


def draw(rows: Sequence[float], *, unit: str) -> Any:
    """A matplotlib Figure: bars by size, the median marked."""
    if not rows:
        return panels.nothing(TITLE, EMPTY)
    edges, counts = _bins(rows, MOST)
    figure, (axes,) = panels.sheet(TITLE, _under(rows, unit), height=4.4)
    panels.numbers(axes, "payments")
    panels.numbers(axes, f"size ({unit})", across=True)
    if _log(rows):
        _decades(axes)
    axes.stairs(counts, edges, fill=True, color=paint.COLOURS[4])
    axes.stairs(counts, edges, color=paint.BLUE, linewidth=1)
    axes.set_ylim(0, max(counts) * 1.12)
    axes.yaxis.get_major_locator().set_params(integer=True)
    middle = median(rows)
    mark = axes.axvline(middle, color=paint.RED, linestyle="--", linewidth=2)
    panels.legend(axes, [mark], [f"median: {labels.figure(middle)} {unit}"])
    return figure


def sketch(rows: Sequence[float], *, unit: str, width: int) -> str:
    """One row for each stretch of sizes, the median marked."""
    if not rows:
        return EMPTY
    width, (edges, counts), middle = labels.fitted(width), _bins(rows, MOST_ROWS), median(rows)
    ends = [f"{labels.figure(low)} – {labels.figure(high)}" for low, high in pairwise(edges)]
    left, right = max(map(len, ends)), max(len(f"{count:,}") for count in counts)
    room = width - left - right - 12
    drawn = [*labels.head(TITLE, _under(rows, unit), width), f"{f'size ({unit})':>{left}}"[:left]]
    there = sum(middle >= edge for edge in edges[1:-1])
    for number, (end, count) in enumerate(zip(ends, counts, strict=True)):
        bar = blocks.painted(blocks.lying(count / max(counts), room), blocks.CYAN)
        mark = blocks.painted(" ◄ median", blocks.YELLOW) if number == there else ""
        drawn.append(f"{end:>{left}} │{bar} {count:>{right},}{mark}")
    return "\n".join(drawn)


def _log(rows: Sequence[float]) -> bool:
    return min(rows) > 0 and max(rows) / min(rows) > WIDE


def _bins(rows: Sequence[float], most: int) -> tuple[list[float], list[int]]:
    """The ends of the bars, one more than there are bars, and how many payments are in each."""
    low, high = min(rows), max(rows)
    if low == high:
        return [low - (abs(low) * 0.05 or 0.5), high + (abs(high) * 0.05 or 0.5)], [len(rows)]
    bars = min(max(math.ceil(math.sqrt(len(rows))), 5), most)
    log = _log(rows)
    first, last = (math.log10(low), math.log10(high)) if log else (low, high)
    points = [first + (last - first) * number / bars for number in range(bars + 1)]
    counts = [0] * bars
    for value in rows:
        place = ((math.log10(value) if log else value) - first) / (last - first) * bars
        counts[min(int(place), bars - 1)] += 1
    return [10**point for point in points] if log else points, counts


def _decades(axes: Any) -> None:
    """A size axis where every step is the same factor."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(10, numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: labels.figure_text(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", length=0)


def _under(rows: Sequence[float], unit: str) -> str:
    text = f"{labels.count(len(rows), 'payment')} of {labels.figure(min(rows))} to {labels.figure(max(rows))} {unit}"
    return f"{text}, median {labels.figure(median(rows))}"
