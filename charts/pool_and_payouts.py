"""What the owner's take brought in, and what was paid out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from charts.drawing import blocks, braille, lines, paint, panels
from charts.drawing import labels as words
from valtrac.reports.model import measures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import PayoutPoint, PoolPoint

TITLE = "Pool and payouts"
NAME = "pool-and-payouts"
ORDER = 60
OF = "payouts"
UNIT = "TAO"
WHAT = (
    "The owner's take and what was paid out of it, both added up from the start of the range, in TAO; the distance "
    "between the two is what is not paid yet. Below: each settled batch with what it paid."
)
EMPTY = "nothing came in and nothing was paid in this range"
NUMBERED, BARS = 16, 300


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return measures.pool(source.record), {"payouts": measures.payouts(source.record)}


def draw(rows: Sequence[PoolPoint], *, unit: str, payouts: Sequence[PayoutPoint]) -> Any:
    """A matplotlib Figure: both sums above, the settled batches below."""
    if not rows and not payouts:
        return panels.nothing(TITLE, EMPTY)
    labels = [f"added up ({unit})", f"paid by a batch ({unit})"]
    figure, (above, below) = panels.timed(TITLE, _under(rows, payouts, unit), labels, height=2.6, height_ratios=(3, 2))
    if rows:
        _sums(above, rows)
    if payouts:
        lines.around(below, _ends(rows, payouts))
        _batches(below, payouts)
    else:
        below.text(0.5, 0.5, "no payouts", ha="center", transform=below.transAxes, color=paint.QUIET)
        below.set_yticks([])
    return figure


def sketch(rows: Sequence[PoolPoint], *, unit: str, width: int, payouts: Sequence[PayoutPoint]) -> str:
    """The same drawn with characters for a terminal of that width."""
    if not rows and not payouts:
        return EMPTY
    width, ends = words.fitted(width), _ends(rows, payouts)
    drawn = words.head(TITLE, _under(rows, payouts, unit), width)
    if rows:
        times, accrued, paid = [row.at for row in rows], [row.accrued for row in rows], [row.paid for row in rows]
        both = (
            braille.Line(f"came in, added up ({unit})", times, accrued),
            braille.Line(f"paid, added up ({unit})", times, paid, colour=1),
        )
        drawn += [*braille.panel(*both, width=width, height=10, ends=ends), ""]
    if payouts:
        drawn += [*_bars(payouts, ends, unit, width), ""]
    return "\n".join([*drawn, *braille.time_axis(ends, width=width - 1)])


def _sums(axes: Any, rows: Sequence[PoolPoint]) -> None:
    times, accrued, paid = [row.at for row in rows], [row.accrued for row in rows], [row.paid for row in rows]
    drawn = [
        lines.line(axes, times, accrued, label="came in", colour=paint.BLUE),
        lines.line(axes, times, paid, label="paid", colour=paint.RED, style="--", steps=True),
    ]
    lines.scale(axes, accrued, paid, from_zero=True)
    panels.legend(axes, drawn, ["came in (owner's take)", "paid"])


def _batches(axes: Any, payouts: Sequence[PayoutPoint]) -> None:
    """A needle for each batch, with its number while they are few."""
    chosen = [payouts[place] for place in lines.kept([payout.paid for payout in payouts], BARS)]
    axes.vlines([payout.at for payout in chosen], 0, [payout.paid for payout in chosen], color=paint.RED, linewidth=1.6)
    axes.plot([payout.at for payout in chosen], [payout.paid for payout in chosen], "o", color=paint.RED, markersize=4)
    lines.scale(axes, [payout.paid for payout in payouts], from_zero=True)
    for payout in chosen if len(chosen) <= NUMBERED else []:
        axes.annotate(
            f"#{payout.batch}",
            (payout.at, payout.paid),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=paint.INK,
        )
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + (high - low) * 0.1)


def _bars(payouts: Sequence[PayoutPoint], ends: tuple[datetime, datetime], unit: str, width: int) -> list[str]:
    margin = max(braille.MARGIN, len(words.figure(sum(payout.paid for payout in payouts))))
    paid_at, amounts = [payout.at for payout in payouts], [payout.paid for payout in payouts]
    sums = blocks.in_time(paid_at, amounts, ends, width - margin - 3)
    most, least = words.figure(max(sums)), words.figure(0)
    bars = blocks.standing(sums, height=4)
    head = f"{blocks.painted('━━', braille.COLOURS[2])} batches ({unit}): {len(payouts):,}"
    return [
        head,
        *(
            f"{most if row == 0 else least if row == 3 else '':>{margin}} {'┤' if row % 3 == 0 else '│'}"
            + blocks.painted(bar, braille.COLOURS[2])
            for row, bar in enumerate(bars)
        ),
    ]


def _ends(rows: Sequence[PoolPoint], payouts: Sequence[PayoutPoint]) -> tuple[datetime, datetime]:
    times = [*(row.at for row in rows), *(payout.at for payout in payouts)]
    return min(times), max(times)


def _under(rows: Sequence[PoolPoint], payouts: Sequence[PayoutPoint], unit: str) -> str:
    text = words.count(len(payouts), "settled batch", "settled batches")
    if not rows:
        return text
    last = rows[-1]
    return f"{words.figure(last.accrued)} {unit} came in, {words.figure(last.paid)} paid in {text}, " + (
        f"{words.figure(last.accrued - last.paid)} not paid yet"
        if last.accrued >= last.paid
        else f"{words.figure(last.paid - last.accrued)} more than came in"
    )
