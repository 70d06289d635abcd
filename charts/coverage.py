"""How much of the record there is, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from charts.drawing import blocks, labels, paint
from charts.drawing import panels as sheets
from valtrac.reports.model import history
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import CoverageDay

TITLE = "Coverage of the record"
NAME = "coverage"
ORDER = 110
OF = "payouts"
UNIT = "snapshots"
WHAT = (
    "Snapshots taken on each day (UTC) in percent of those that the interval asks for. A column is a week, from Monday "
    "above to Sunday below; days on which nothing was taken are crossed."
)
EMPTY = "no days in this range"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# from which percentage: its name, its colour, its sign in the terminal
STEPS = (
    (99.5, "all", paint.BLUE, "█"),
    (90.0, "90 % or more", paint.COLOURS[4], "▓"),
    (50.0, "50 % or more", "#9fd0ee", "▒"),
    (1e-9, "less", "#d3e8f5", "░"),
    (0.0, "none", "none", "×"),
)
WEEKS, LEAST_WEEKS, BLOCKS = 53, 26, 6


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return history.coverage(source.record.history.at, source.record.interval_s), {}


def draw(rows: Sequence[CoverageDay], *, unit: str) -> Any:
    """A matplotlib Figure: a calendar of squares, a year to a row. unit: what was recorded, such as snapshots."""
    if not rows:
        return sheets.nothing(TITLE, EMPTY)
    share, years = _shares(rows), _blocks(rows, WEEKS)
    figure, panels = sheets.sheet(TITLE, _under(rows, years, unit), height=2.0 * len(years) + 0.4, panels=len(years))
    across = max(LEAST_WEEKS, *(len(year) for year in years))
    for axes, year in zip(panels, years, strict=True):
        _calendar(axes, year, share, across)
    from matplotlib.patches import Patch

    signs = [Patch(facecolor=colour, edgecolor=paint.RED if text == "none" else colour) for _, text, colour, _ in STEPS]
    sheets.legend(panels[0], signs, [text for _, text, _, _ in STEPS])
    panels[0].get_legend().set_bbox_to_anchor((1, 1.14))
    return figure


def sketch(rows: Sequence[CoverageDay], *, unit: str, width: int) -> str:
    """The same calendar with one character for each day."""
    if not rows:
        return EMPTY
    width, share = labels.fitted(width), _shares(rows)
    years = _blocks(rows, min(WEEKS, width - 5))
    drawn = labels.head(TITLE, _under(rows, years, unit), width)
    for year in years:
        drawn.append("    " + _months(year))
        for weekday, name in enumerate(WEEKDAYS):
            signs = [_sign(share.get(monday + timedelta(days=weekday))) for monday in year]
            drawn.append(f"{name if weekday % 2 == 0 else '':3} " + "".join(signs))
        drawn.append("")
    return "\n".join([*drawn, *_key(width)])


def _calendar(axes: Any, year: Sequence[date], share: dict[date, float], across: int) -> None:
    """One row of weeks."""
    from matplotlib.collections import PolyCollection

    squares, colours, edges = [], [], []
    crossed: list[tuple[float, float]] = []
    for week, monday in enumerate(year):
        for weekday in range(7):
            percent = share.get(monday + timedelta(days=weekday))
            if percent is None:
                continue
            _, text, colour, _ = _step(percent)
            left, top = week + 0.07, weekday + 0.07
            squares.append([(left, top), (left + 0.86, top), (left + 0.86, top + 0.86), (left, top + 0.86)])
            colours.append(colour)
            edges.append(paint.RED if text == "none" else colour)
            if text == "none":
                crossed.append((week + 0.5, weekday + 0.5))
    axes.add_collection(PolyCollection(squares, facecolors=colours, edgecolors=edges, linewidths=0.8))
    axes.plot([x for x, _ in crossed], [y for _, y in crossed], "x", color=paint.RED, markersize=5, markeredgewidth=1.4)
    axes.set_xlim(-0.1, across + 0.1)
    axes.set_ylim(7.1, -0.1)
    axes.set_aspect("equal", anchor="NW")
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks([place + 0.5 for place in range(0, 7, 2)], WEEKDAYS[::2])
    firsts = [place for place in range(len(year)) if _begins(year, place)]
    axes.set_xticks([place + 0.5 for place in firsts], _month_names([_begun(year[place]) for place in firsts]))


def _month_names(days: Sequence[date]) -> list[str]:
    """Months, with the year under the first of all and of each year."""
    return [
        MONTHS[day.month - 1] + (f"\n{day.year}" if place == 0 or day.month == 1 else "")
        for place, day in enumerate(days)
    ]


def _shares(rows: Sequence[CoverageDay]) -> dict[date, float]:
    """Percent of each day from the first to the last; a day that is not among the rows has none."""
    first, last = min(row.day for row in rows), max(row.day for row in rows)
    share = {first + timedelta(days=number): 0.0 for number in range((last - first).days + 1)}
    for row in rows:
        share[row.day] = row.taken / row.expected * 100 if row.expected > 0 else 100.0
    return share


def _blocks(rows: Sequence[CoverageDay], weeks: int) -> list[list[date]]:
    """The Mondays of the range, so many to a row, the newest rows only."""
    first, last = min(row.day for row in rows), max(row.day for row in rows)
    monday = first - timedelta(days=first.weekday())
    mondays = [monday + timedelta(weeks=number) for number in range((last - monday).days // 7 + 1)]
    mondays = mondays[-weeks * BLOCKS :]
    return [mondays[place : place + weeks] for place in range(0, len(mondays), weeks)]


def _step(percent: float) -> tuple[float, str, str, str]:
    return next(step for step in STEPS if percent >= step[0])


def _sign(percent: float | None) -> str:
    if percent is None:
        return " "
    _, text, _, sign = _step(percent)
    return blocks.painted(sign, blocks.RED if text == "none" else blocks.CYAN)


def _begun(monday: date) -> date:
    """The first day of a month in this week, or its Monday."""
    days = [monday + timedelta(days=number) for number in range(7)]
    return next((day for day in days if day.day == 1), monday)


def _begins(year: Sequence[date], place: int) -> bool:
    """Whether a month's name stands over this week: a month begins in it, or the row does with room for it."""
    if place == 0:
        return len(year) < 4 or not any(_begun(monday).day == 1 for monday in year[1:4])
    return _begun(year[place]).day == 1


def _months(year: Sequence[date]) -> str:
    signs = [" "] * (len(year) + 4)
    for place in range(len(year)):
        if _begins(year, place):
            name = MONTHS[_begun(year[place]).month - 1]
            signs[place : place + 3] = name
    return "".join(signs[: max(len(year), 3)]).rstrip()


def _key(width: int) -> list[str]:
    """What the signs mean."""
    parts = [
        f"{blocks.painted(sign, blocks.RED if text == 'none' else blocks.CYAN)} {text}" for _, text, _, sign in STEPS
    ]
    return ["   ".join(parts)] if width >= 70 else ["   ".join(parts[:3]), "   ".join(parts[3:])]


def _under(rows: Sequence[CoverageDay], years: Sequence[Sequence[date]], unit: str) -> str:
    share = _shares(rows)
    taken, expected = sum(row.taken for row in rows), sum(row.expected for row in rows)
    text = f"{taken:,} {unit} of {expected:,.0f} on {labels.count(len(share), 'day')}"
    none = sum(percent <= 0 for percent in share.values())
    text += f", {labels.count(none, 'day')} without any" if none else ", none without any"
    first = years[0][0]
    return f"{text}; drawn from {first} on" if first > min(share) else text
