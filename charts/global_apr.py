"""What a year brings to everyone: before the take, after it, and with the rebate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import rates
from valtrac.reports.model import rates as figures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import RatePoint

TITLE = "Rate of return, all nominators"
NAME = "global-apr"
ORDER = 20
OF = "payouts"
WHAT = (
    "What a year at the pace of each stretch would bring, without compounding: what was earned in the stretch, divided "
    "by the stake that earned it, times the stretches in a year, in percent. Before the validator's take (where the "
    "take is known), after it, and with what this program paid out on top. For what no payout has "
    "paid yet stands what it would bring if the take income were shared out as referrals and policies have it."
)


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return figures.rates(source.record), {}


def draw(rows: Sequence[RatePoint], *, unit: str) -> Any:
    """A matplotlib Figure: three lines in percent per year."""
    return rates.draw(TITLE, _series(rows), rates.under(rows, unit))


def sketch(rows: Sequence[RatePoint], *, unit: str, width: int) -> str:
    """The same drawn with characters for a terminal of that width."""
    return rates.sketch(TITLE, _series(rows), rates.under(rows, unit), width=width)


def _series(rows: Sequence[RatePoint]) -> rates.Series:
    return rates.Series(
        [row.at for row in rows],
        {
            "before take": [row.before for row in rows],
            "after take": [row.after for row in rows],
            "with rebate": [row.rebate for row in rows],
            rates.PROJECTED: [row.projected for row in rows],
        },
    )
