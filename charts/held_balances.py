"""What is owed and kept back, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import blocks, labels, paint, panels
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import HeldBalance

TITLE = "Balances held back"
NAME = "held-balances"
ORDER = 120
OF = "payouts"
UNIT = "TAO"
WHAT = (
    "What is owed to each user and not paid yet, because it is below the minimum or held by hand, in TAO. The colour "
    "says for how many days the oldest part of it has been waiting."
)
EMPTY = "nothing is held back"
MOST = 30
# from which age in days: its name, its colour, its hatch, its colour in the terminal
AGES = (
    (90.0, "90 days or more", paint.RED, "////", blocks.RED),
    (30.0, "30 to 90 days", paint.COLOURS[5], "....", blocks.YELLOW),
    (7.0, "7 to 30 days", paint.COLOURS[4], "", blocks.CYAN),
    (float("-inf"), "less than 7 days", paint.BLUE, "", blocks.GREEN),
)


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return source.held_balances, {}


def draw(rows: Sequence[HeldBalance], *, unit: str) -> Any:
    """A matplotlib Figure: one bar for each user, coloured by age."""
    if not rows:
        return panels.nothing(TITLE, EMPTY)
    shown = _shown(rows)
    figure, (axes,) = panels.sheet(TITLE, _under(rows, unit), height=0.27 * len(shown) + 1.0)
    panels.numbers(axes, f"held back ({unit})", across=True)
    panels.listed(axes, [labels.short(row.name) for row in shown])
    drawn, names, rest = [], [], _rest(rows)
    ends = [0.0 if rest and place == len(shown) - 1 else row.amount for place, row in enumerate(shown)]
    reached = 0.0
    for age in reversed(AGES):
        _, name, colour, hatch, _ = age
        bars = [(place, 0.0, end) for place, end in enumerate(ends) if end and _age(shown[place]) is age]
        more = sum(row.amount for row in rest if _age(row) is age)  # the rest is of all ages, one beside the other
        bars += [(len(shown) - 1, reached, more)] if more else []
        reached += more
        if bars:
            places, begins, lengths = zip(*bars, strict=True)
            look = {"color": colour, "hatch": hatch, "edgecolor": paint.PAPER, "linewidth": 0}
            drawn.append(axes.barh(places, lengths, left=begins, height=0.66, **look))
            names.append(name)
    axes.set_xlim(0, max(row.amount for row in shown) * 1.03 or 1.0)
    panels.legend(axes, drawn, names)
    panels.aside(
        axes,
        [
            (
                unit if labels.width_of(unit) < 12 else "amount",
                72,
                "right",
                [labels.figure(row.amount) for row in shown],
            ),
            ("days", 112, "right", [f"{row.days:,.0f}" for row in shown]),
        ],
    )
    return figure


def sketch(rows: Sequence[HeldBalance], *, unit: str, width: int) -> str:
    """A row for each user: a bar in the colour of its age, the amount, the days."""
    if not rows:
        return EMPTY
    width, shown = labels.fitted(width), _shown(rows)
    amounts, days = [labels.figure(row.amount) for row in shown], [f"{row.days:,.0f} d" for row in shown]
    names, wide, old = labels.column([row.name for row in shown], width), max(map(len, amounts)), max(map(len, days))
    room, most = max(width - names - wide - old - 4, 4), max(row.amount for row in shown) or 1.0
    drawn = labels.head(TITLE, _under(rows, unit), width)
    for place, (row, amount, age) in enumerate(zip(shown, amounts, days, strict=True)):
        colour = blocks.GREY if place == MOST else _age(row)[4]
        bar = blocks.painted(blocks.lying(row.amount / most, room), colour)
        drawn.append(f"{labels.cell(row.name, names)} {bar} {amount:>{wide}} {age:>{old}}")
    parts = [f"{blocks.painted('█', colour)} {name}" for _, name, _, _, colour in reversed(AGES)]
    key = ["   ".join(parts)] if width >= 72 else ["   ".join(parts[:2]), "   ".join(parts[2:])]
    return "\n".join([*drawn, "", *key])


def _shown(rows: Sequence[HeldBalance]) -> list[HeldBalance]:
    """The largest, and the sum of the rest, as old as the oldest of it."""
    rest = _rest(rows)
    if not rest:
        return _ordered(rows)
    others = HeldBalance(f"{len(rest):,} others", sum(row.amount for row in rest), max(row.days for row in rest))
    return [*_ordered(rows)[:MOST], others]


def _rest(rows: Sequence[HeldBalance]) -> list[HeldBalance]:
    return _ordered(rows)[MOST:]


def _ordered(rows: Sequence[HeldBalance]) -> list[HeldBalance]:
    return sorted(rows, key=lambda row: (-row.amount, row.name))


def _age(row: HeldBalance) -> tuple[float, str, str, str, int]:
    return next(age for age in AGES if row.days >= age[0])


def _under(rows: Sequence[HeldBalance], unit: str) -> str:
    total, oldest = labels.figure(sum(row.amount for row in rows)), max(row.days for row in rows)
    return f"{total} {unit} owed to {labels.count(len(rows), 'user')}, the oldest part for {oldest:,.0f} days"
