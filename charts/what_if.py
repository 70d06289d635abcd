"""What other rules would have meant: who gains and who loses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import blocks, labels, paint, panels
from valtrac.reports.model.statistics import Difference

TITLE = "What if"
NAME = "what-if"
ORDER = 130
WHAT = (
    "What each user would have been paid under other rules, less what the rules of then gave, in TAO: to the right who "
    "would have gained, to the left who would have lost. The largest changes by name, the rest added up."
)
EMPTY = "nothing to compare"
MOST = 20


def draw(rows: Sequence[Difference], *, unit: str) -> Any:
    """A matplotlib Figure: bars to both sides, the largest gain on top."""
    if not rows:
        return panels.nothing(TITLE, EMPTY)
    shown = _shown(rows)
    figure, (axes,) = panels.sheet(TITLE, _under(rows, unit), height=0.29 * len(shown) + 1.0)
    panels.numbers(axes, f"change ({unit})", across=True)
    panels.listed(axes, [labels.short(row.name) for row in shown])
    drawn = []
    for sign, colour, hatch in ((1, paint.BLUE, ""), (-1, paint.RED, "////")):
        places = [place for place, row in enumerate(shown) if _change(row) * sign > 0]
        changes = [_change(shown[place]) for place in places]
        drawn.append(axes.barh(places, changes, height=0.66, color=colour, hatch=hatch, edgecolor=paint.PAPER, lw=0))
    axes.axvline(0, color=paint.QUIET, linewidth=0.8)
    most = max(abs(_change(row)) for row in shown) or 1.0
    axes.set_xlim(-most * 1.05, most * 1.05)
    panels.legend(axes, drawn, ["would have gained", "would have lost"])
    panels.aside(
        axes,
        [
            ("was", 62, "right", [labels.figure(row.was) for row in shown]),
            ("would be", 124, "right", [labels.figure(row.would_be) for row in shown]),
            ("change", 186, "right", [labels.signed(_change(row)) for row in shown]),
        ],
    )
    return figure


def sketch(rows: Sequence[Difference], *, unit: str, width: int) -> str:
    """A row for each user: a bar to the right for a gain, to the left for a loss, and the change."""
    if not rows:
        return EMPTY
    width, shown = labels.fitted(width), _shown(rows)
    changes = [labels.signed(_change(row)) for row in shown]
    names, wide = labels.column([row.name for row in shown], width), max(map(len, changes))
    half, most = max((width - names - wide - 3) // 2, 2), max(abs(_change(row)) for row in shown) or 1.0
    drawn = labels.head(TITLE, _under(rows, unit), width)
    for row, change in zip(shown, changes, strict=True):
        colour = blocks.CYAN if _change(row) > 0 else blocks.YELLOW
        bar = blocks.painted(blocks.both_ways(_change(row) / most, half), colour)
        drawn.append(f"{labels.cell(row.name, names)} {bar} {change:>{wide}}")
    return "\n".join(drawn)


def _change(row: Difference) -> float:
    return row.would_be - row.was


def _shown(rows: Sequence[Difference]) -> list[Difference]:
    """The largest changes from gain to loss, and the sum of the rest."""
    order = sorted(rows, key=lambda row: (-abs(_change(row)), row.name))
    named, rest = sorted(order[:MOST], key=lambda row: (-_change(row), row.name)), order[MOST:]
    if not rest:
        return named
    return [
        *named,
        Difference(f"{len(rest):,} others", sum(row.was for row in rest), sum(row.would_be for row in rest)),
    ]


def _under(rows: Sequence[Difference], unit: str) -> str:
    gain, lose = sum(_change(row) > 0 for row in rows), sum(_change(row) < 0 for row in rows)
    total, same = labels.signed(sum(_change(row) for row in rows)), len(rows) - gain - lose
    return f"{labels.count(gain, 'user')} would have gained, {lose:,} lost, {same:,} the same; together {total} {unit}"
