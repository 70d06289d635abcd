"""What a year brings to one user: as the chain pays, and with the rebate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from charts.drawing import labels, rates
from valtrac.reports.model import rates as figures
from valtrac.reports.model.sources import PayoutFigures
from valtrac.reports.model.statistics import RatePoint

TITLE = "Rate of return, one user"
NAME = "user-apr"
ORDER = 30
OF = "payouts"
OF_A_USER = True
WHAT = (
    "What a year at the pace of each stretch would bring to this user, without compounding, in percent: as the chain "
    "pays after the validator's take, and with what this program paid to the user on top. For what no payout has "
    "paid yet stands what it would bring if the take income were shared out as referrals and policies have it."
)


def rows(source: PayoutFigures) -> tuple[Any, dict[str, Any]]:
    """What it is drawn from, and what else it takes."""
    return figures.rates_of(source.record, source.who), {"who": source.who}


def draw(rows: Sequence[RatePoint], *, unit: str, who: str) -> Any:
    """A matplotlib Figure: two lines in percent per year. who: the user's name."""
    return rates.draw(TITLE, _series(rows), _under(rows, unit, who))


def sketch(rows: Sequence[RatePoint], *, unit: str, width: int, who: str) -> str:
    """The same drawn with characters for a terminal of that width."""
    return rates.sketch(TITLE, _series(rows), _under(rows, unit, who), width=width)


def _series(rows: Sequence[RatePoint]) -> rates.Series:
    return rates.Series(
        [row.at for row in rows],
        {
            "after take": [row.after for row in rows],
            "with rebate": [row.rebate for row in rows],
            rates.PROJECTED: [row.projected for row in rows],
        },
    )


def _under(rows: Sequence[RatePoint], unit: str, who: str) -> str:
    return f"{labels.apart(labels.short(who, 40))}: {rates.under(rows, unit)}"
