"""The statement of a delegate of a Qtum pool as a web page, of the same make as everybody's."""

from __future__ import annotations

from collections.abc import Sequence

from charts.drawing.pages import Cell, Table, rendered
from valtrac.core.money import QTUM, decimal_text
from valtrac.reports.model.pool_statements import PoolStatement

AMOUNT = "amount (QTUM)"


def statement(made: PoolStatement, notes: Sequence[str] = ()) -> str:
    """The page of one delegate."""
    tiles = [
        ("Paid", f"{_qtum(made.paid)} QTUM"),
        ("Payments", f"{len(made.payments):,}"),
        ("Booked", f"{_qtum(made.shared)} QTUM"),
        ("The pool's fee" if made.fee >= 0 else "Bonus of the pool", f"{_qtum(abs(made.fee))} QTUM"),
        *([("On its way", f"{_qtum(made.on_its_way)} QTUM")] if made.on_its_way else []),
        ("Owed, paid later", f"{_qtum(made.owed)} QTUM"),
        ("Super staker", made.staker),
    ]
    return rendered(
        "pool_statement.html",
        (),
        title=f"Statement for {made.delegate}",
        period=_period(made),
        tiles=tiles,
        payments=_payments(made),
        booked=_booked(made),
        notes=notes,
    )


def _period(made: PoolStatement) -> str:
    days = [day.day for day in made.days]
    return f"{min(days):%Y-%m-%d} until {max(days):%Y-%m-%d} (UTC)" if days else ""


def _payments(made: PoolStatement) -> Table:
    rows = [
        [
            Cell("signed (UTC)", f"{payment.at:%Y-%m-%d %H:%M}"),
            Cell(AMOUNT, _qtum(payment.units), "n"),
            Cell("block", f"{payment.block:,}", "n"),
            Cell("transaction", payment.tx_id, "id"),
        ]
        for payment in made.payments
    ]
    foot = [Cell("together", "together"), Cell(AMOUNT, _qtum(made.paid), "n"), Cell("", "", "n"), Cell("", "")]
    return Table(rows, foot)


def _booked(made: PoolStatement) -> Table:
    rows = [
        [
            Cell("day (UTC)", f"{day.day:%Y-%m-%d}"),
            Cell("what", day.words),
            Cell("blocks", f"{day.rewards:,}", "n"),
            Cell(AMOUNT, _qtum(day.units), "n"),
        ]
        for day in made.days
    ]
    foot = [
        Cell("together", "together"),
        Cell("", ""),
        Cell("blocks", f"{made.rewards:,}", "n"),
        Cell(AMOUNT, _qtum(made.shared), "n"),
    ]
    return Table(rows, foot)


def _qtum(units: int) -> str:
    return decimal_text(units, QTUM.decimals)
