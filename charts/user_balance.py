"""What one user has, and what it was worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import braille, labels, lines, paint, panels
from valtrac.reports.model import measures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import BalancePoint

TITLE = "Balance of one user"
NAME = "user-balance"
ORDER = 40
OF = "payouts"
OF_A_USER = True
WHAT = (
    "What this user had staked at each snapshot (left scale), and what that was worth at the price of then (right "
    "scale): stake times price. Where no price was known the second line has a gap."
)
EMPTY = "no snapshots of this user in this range"


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return measures.balances(source.record, source.who), {"who": source.who, "currency": source.record.currency}


def draw(rows: Sequence[BalancePoint], *, unit: str, who: str, currency: str) -> Any:
    """A matplotlib Figure: stake on the left axis, money on the right. who: the user's name."""
    if not rows:
        return panels.nothing(TITLE, EMPTY)
    figure, (left,) = panels.timed(TITLE, _under(rows, who, currency), [f"stake ({unit})"], height=4.6)
    times, stakes, money = _columns(rows)
    drawn, names = [lines.line(left, times, stakes, label="stake", colour=paint.BLUE)], [f"stake ({unit}, left)"]
    lines.scale(left, stakes)
    _coloured(left, paint.BLUE)
    if any(value is not None for value in money):
        right = left.twinx()
        panels.quiet(right)
        right.spines["bottom"].set_visible(False)
        right.grid(visible=False)
        panels.numbers(right, f"value ({labels.short(currency, 12)})")
        drawn.append(lines.line(right, times, money, label="value", colour=paint.RED, style="--"))
        names.append(f"value ({labels.short(currency, 12)}, right)")
        lines.scale(right, money)
        _coloured(right, paint.RED)
    panels.legend(left, drawn, names)
    return figure


def sketch(rows: Sequence[BalancePoint], *, unit: str, width: int, who: str, currency: str) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not rows:
        return EMPTY
    width, (times, stakes, money) = labels.fitted(width), _columns(rows)
    drawn = labels.head(TITLE, _under(rows, who, currency), width)
    stake = braille.Line(f"stake ({unit})", times, stakes)
    value = braille.Line(f"value ({labels.short(currency, 12)})", times, money, colour=1)
    drawn += [*braille.panel(stake, width=width), "", *braille.panel(value, width=width), ""]
    return "\n".join([*drawn, *braille.time_axis(times, width=width - 1)])


def _columns(rows: Sequence[BalancePoint]) -> tuple[list[Any], list[float], list[float | None]]:
    return [row.at for row in rows], [row.stake for row in rows], [row.money for row in rows]


def _coloured(axes: Any, colour: str) -> None:
    """Figures and name of an axis in the colour of its line."""
    axes.tick_params(axis="y", labelcolor=colour)
    axes.yaxis.label.set_color(colour)


def _under(rows: Sequence[BalancePoint], who: str, currency: str) -> str:
    unpriced = sum(row.money is None for row in rows)
    text = f"{labels.apart(labels.short(who, 40))}: {labels.count(len(rows), 'snapshot')}"
    return f"{text}, {unpriced:,} of them without a price in {labels.short(currency, 12)}" if unpriced else text
