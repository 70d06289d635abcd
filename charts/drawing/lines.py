"""Lines over time: thinned so that no extreme is lost, broken where nothing is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 2_000  # points of one line in a picture: more than it has pixels across
STYLES = ("-", "--", "-.", ":")


def kept(values: Sequence[float | None], most: int) -> list[int]:
    """Which places of a series to draw, at most so many, ascending; most: 5 or more.

    Both ends, and of each stretch its smallest, its largest and one gap (None), so that extremes and gaps survive.
    """
    if most < 5:
        raise ValueError("a line needs at least five points")
    size = len(values)
    if size <= most:
        return list(range(size))
    stretches = (most - 2) // 3
    chosen = {0, size - 1}
    for number in range(stretches):
        stretch = range(size * number // stretches, size * (number + 1) // stretches)
        known = [(value, place) for place in stretch if (value := values[place]) is not None]
        if known:
            chosen |= {min(known)[1], max(known)[1]}
        if len(known) < len(stretch):
            chosen.add(next(place for place in stretch if values[place] is None))
    return sorted(chosen)


def thin(at: Sequence[T], values: Sequence[float | None], most: int) -> tuple[list[T], list[float | None]]:
    """A series with at most so many points, in their order; see `kept` for which."""
    places = kept(values, most)
    return [at[place] for place in places], [values[place] for place in places]


def lonely(values: Sequence[float | None]) -> list[int]:
    """The places with a gap or an end on both sides, where a line alone would show nothing."""
    padded = [None, *values, None]
    return [
        place
        for place, value in enumerate(values)
        if value is not None and padded[place] is None and padded[place + 2] is None
    ]


def line(
    axes: Any,
    at: Sequence[datetime],
    values: Sequence[float | None],
    *,
    label: str,
    colour: str,
    style: str = "-",
    steps: bool = False,
) -> Any:
    """One line with its name; None leaves a gap, and what stands alone is a dot."""
    around(axes, at)
    at, values = thin(at, values, MOST)
    drawn = axes.plot(
        at,
        [math.nan if value is None else value for value in values],
        color=colour,
        linewidth=2,
        linestyle=style,
        marker="o" if len(values) < 3 else "",
        drawstyle="steps-post" if steps else "default",
        label=label,
    )[0]
    alone = lonely(values)
    if alone and len(values) >= 3:
        axes.plot([at[n] for n in alone], [values[n] for n in alone], "o", color=colour, markersize=4)
    return drawn


def around(axes: Any, at: Sequence[datetime]) -> None:
    """A day for a lone instant, where an axis made by itself would show years."""
    if at[0] == at[-1]:
        axes.set_xlim(at[0] - timedelta(hours=12), at[0] + timedelta(hours=12))


def scale(axes: Any, *series: Sequence[float | None], from_zero: bool = False) -> None:
    """Room above and below all that is drawn; never below zero where nothing is."""
    known = [value for values in series for value in values if value is not None]
    if not known:
        return
    low, high = min(known), max(known)
    low = min(low, 0.0) if from_zero else low
    room = (high - low) * 0.12 or max(abs(high) * 0.01, 1e-9)
    axes.set_ylim(max(0.0, low - room) if low >= 0 else low - room, high + room)


def times(axes: Any) -> None:
    """A time axis in UTC, named so."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.set_xlabel("time (UTC)", fontsize=10)
    axes.margins(x=0.02)
