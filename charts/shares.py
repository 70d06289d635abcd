"""Who has which part of a payout, before and after referrals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import blocks, labels, paint, panels
from valtrac.reports.model import referral_figures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import Share

TITLE = "Shares before and after referrals"
NAME = "shares"
ORDER = 70
OF = "payouts"
WHAT = (
    "Each user's part of the whole in percent: base is by stake over the range, adjusted is what is left of it after "
    "the user's referrer took its rate, with what came in from the user's own referees. Both columns sum to 100."
)
EMPTY = "nobody has a share in this range"
MOST, WIDE = 30, 30


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return referral_figures.share_rows(source.record, source.shares), {}


def draw(rows: Sequence[Share], *, unit: str) -> Any:
    """A matplotlib Figure: one row for each user, from the base share to the adjusted one. unit: of the pool."""
    if not rows:
        return panels.nothing(TITLE, EMPTY)
    shown = _shown(rows)
    figure, (axes,) = panels.sheet(TITLE, _under(rows, unit), height=0.27 * len(shown) + 1.0)
    panels.numbers(axes, "part of the whole (percent)", across=True)
    panels.listed(axes, [labels.short(row.name) for row in shown])
    places = range(len(shown))
    for colour, sign in ((paint.GREEN, 1), (paint.RED, -1)):
        moved = [place for place in places if (shown[place].adjusted - shown[place].base) * sign > 0]
        ends = [shown[place].base for place in moved], [shown[place].adjusted for place in moved]
        axes.hlines(moved, *ends, color=colour, linewidth=3, linestyle="-" if sign > 0 else (0, (1.4, 0.7)))
    base = axes.plot([row.base for row in shown], places, "o", color=paint.INK, markerfacecolor="none", markersize=6)
    adjusted = axes.plot([row.adjusted for row in shown], places, "D", color=paint.BLUE, markersize=5)
    _scale(axes, shown)
    panels.legend(axes, [*base, *adjusted], ["base", "adjusted"])
    panels.aside(
        axes,
        [
            ("adjusted %", 66, "right", [f"{row.adjusted:.2f}" for row in shown]),
            ("change", 112, "right", [_change(row) for row in shown]),
            ("referrer", 126, "left", [_referrer(row) for row in shown]),
        ],
    )
    return figure


def sketch(rows: Sequence[Share], *, unit: str, width: int) -> str:
    """A row for each user: the adjusted share as a bar, both figures, the change."""
    if not rows:
        return EMPTY
    width, shown = labels.fitted(width), _shown(rows)
    high = max(max(row.base, row.adjusted) for row in shown) or 1.0
    figures = [(f"{row.base:.2f}", f"{row.adjusted:.2f}", _change(row)) for row in shown]
    wide = max(9, *(len(text) + 1 for texts in figures for text in texts))
    names = labels.column([row.name for row in shown], width)
    room = max(width - names - 3 * wide - 2, 1)
    drawn = labels.head(TITLE, _under(rows, unit), width)
    drawn.append(f"{'':{names + room + 2}}{'base %':>{wide}}{'adjusted':>{wide}}{'change':>{wide}}")
    for place, (row, (base, adjusted, change)) in enumerate(zip(shown, figures, strict=True)):
        bar = blocks.lying(max(row.adjusted, 0) / high, room)
        bar = blocks.painted(bar, blocks.GREY if place == MOST else blocks.CYAN)
        change = blocks.painted(f"{change:>{wide}}", blocks.GREEN if row.adjusted > row.base else blocks.YELLOW)
        drawn.append(f"{labels.cell(row.name, names)} {bar} {base:>{wide}}{adjusted:>{wide}}{change}")
    return "\n".join(drawn)


def _shown(rows: Sequence[Share]) -> list[Share]:
    """The largest, and the sum of the rest."""
    order = sorted(rows, key=lambda row: (-max(row.base, row.adjusted), row.name))
    rest = order[MOST:]
    if not rest:
        return order
    others = Share(f"{len(rest):,} others", sum(row.base for row in rest), sum(row.adjusted for row in rest))
    return [*order[:MOST], others]


def _change(row: Share) -> str:
    change = row.adjusted - row.base
    return "=" if abs(change) < 0.005 else f"{change:+.2f}".replace("-", "−")


def _referrer(row: Share) -> str:
    """Who takes how much of it."""
    return ", ".join(f"{labels.apart(labels.short(name, 16))}  {bps / 100:g} %" for name, bps in row.chain[:1])


def _scale(axes: Any, shown: Sequence[Share]) -> None:
    """A scale of factors where the largest would press all others to the edge, otherwise one from zero."""
    figures = [part for row in shown for part in (row.base, row.adjusted)]
    low, high = min(figures), max(figures)
    if low <= 0 or high / low < WIDE:
        axes.set_xlim(min(low, 0.0) - 0.02 * (high or 1), 1.05 * (high or 1))
        return
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_xlim(low / 1.2, high * 1.2)
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: labels.figure_text(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", length=0)
    axes.set_xlabel("part of the whole (percent; every step is a factor)")


def _under(rows: Sequence[Share], unit: str) -> str:
    referred = sum(bool(row.chain) for row in rows)
    return f"{labels.count(len(rows), 'user')} of a pool in {unit}, {referred:,} of them referred by somebody"
