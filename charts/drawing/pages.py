"""Statements as web pages: one file each, nothing loaded from anywhere, light and dark, for paper and phones.

What a page looks like stands in `templates/`; here its values are put into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from valtrac.core.money import decimal_text
from valtrac.core.text import plain
from valtrac.reports.model.statements import Payment, Statement, worth_text

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
LONGEST_WORDS = 600
LONG_NAME = 40  # what is longer is an address, and may be broken anywhere
AMOUNT, WORTH = "amount (TAO)", "worth"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table. head: the name of its column; kind: `n` a number, `id` what may be broken anywhere."""

    head: str
    text: str
    kind: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under the same heads, and a last row of sums; no rows: there was nothing to list."""

    rows: Sequence[Sequence[Cell]]
    foot: Sequence[Cell]


def rendered(template: str, figures: Sequence[tuple[str, str]], **values: object) -> str:
    """A page. Raises jinja2.UndefinedError where a template names a value that it was not given."""
    from markupsafe import Markup

    # the only text that stands in a page as it is: a drawing that matplotlib wrote and paint went through
    drawn = [(heading, Markup(svg)) for heading, svg in figures]  # noqa: S704 - see the line above
    return _templates().get_template(template).render(figures=drawn, **values)


def statement(
    made: Statement, figures: Sequence[tuple[str, str]], about: Mapping[str, str], notes: Sequence[str] = ()
) -> str:
    """One person's page. figures: (heading, what `paint.svg_text` drew); about: what is said in the tiles besides."""
    tiles = {
        "Paid": f"{decimal_text(made.total)} TAO",
        "Worth at the time": made.worth_text,
        "Payments": f"{len(made.payments):,}",
        "Held, paid later": f"{decimal_text(made.held)} TAO",
        **about,
    }
    return rendered(
        "statement.html",
        figures,
        title=f"Statement for {made.name}",
        period=_period(made),
        tiles=list(tiles.items()),
        payments=_payments(made.payments, made.worth_text, {}, named=False),
        notes=notes,
    )


def validator(
    title: str,
    statements: Sequence[Statement],
    figures: Sequence[tuple[str, str]],
    about: Mapping[str, str],
    links: Mapping[tuple[int, str], str],
    notes: Sequence[str] = (),
) -> str:
    """The page of the whole validator: everyone's sum, and every payment with the link to its proof.

    links: (batch, name) -> file beside the page. The others are as for `statement`.
    """
    total = sum(made.total for made in statements)
    payments = sorted(
        (payment for made in statements for payment in made.payments),
        key=lambda payment: (payment.at, payment.batch, payment.name),
    )
    return rendered(
        "validator.html",
        figures,
        title=title,
        period=_period(statements[0]),
        tiles=[("Paid", f"{decimal_text(total)} TAO"), ("Payments", f"{len(payments):,}"), *about.items()],
        everyone=_everyone(statements, total),
        payments=_payments(payments, _worth_of_all(payments), links, named=True),
        notes=notes,
    )


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_plain,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _plain(value: object) -> object:
    """What a template prints, without what people or chains may have hidden in it; jinja2 escapes it after this.

    Here and not at each value, so that none can be forgotten. Markup is a template's own, or a drawing.
    """
    return value if hasattr(value, "__html__") else plain(value, LONGEST_WORDS)


def _period(made: Statement) -> str:
    return f"{made.first:%Y-%m-%d} until {made.last:%Y-%m-%d} (UTC)"


def _who(name: str) -> Cell:
    return Cell("who", name, "id" if len(name) > LONG_NAME else "")


def _everyone(statements: Sequence[Statement], total: int) -> Table:
    """Everyone's sums. total: in rao, of all of them."""
    rows = [
        [
            _who(made.name),
            Cell("payments", f"{len(made.payments):,}", "n"),
            Cell("paid (TAO)", decimal_text(made.total), "n"),
            Cell(WORTH, made.worth_text, "n"),
            Cell("held (TAO)", decimal_text(made.held), "n"),
        ]
        for made in statements
    ]
    foot = [
        Cell("together", "together"),
        Cell("payments", f"{sum(len(made.payments) for made in statements):,}", "n"),
        Cell("paid (TAO)", decimal_text(total), "n"),
        Cell("", "", "n"),
        Cell("", "", "n"),
    ]
    return Table(rows, foot)


def _payments(payments: Sequence[Payment], worth: str, links: Mapping[tuple[int, str], str], *, named: bool) -> Table:
    """Payments and their sum. worth: of all of them, in words; named: whose each is stands beside it."""
    rows = [_payment(payment, links, named=named) for payment in payments]
    sums = {"time (UTC)": "together", AMOUNT: decimal_text(sum(payment.amount for payment in payments)), WORTH: worth}
    foot = [
        Cell(cell.head, sums.get(cell.head, ""), "n" if cell.head in (AMOUNT, WORTH) else "")
        for cell in (rows[0] if rows else ())
    ]
    return Table(rows, foot)


def _payment(payment: Payment, links: Mapping[tuple[int, str], str], *, named: bool) -> list[Cell]:
    blocks = f"{payment.from_block}–{payment.to_block}" if payment.to_block >= payment.from_block else ""
    link = links.get((payment.batch, payment.name), "")
    return [
        Cell("time (UTC)", f"{payment.at:%Y-%m-%d %H:%M}"),
        *([_who(payment.name)] if named else []),
        Cell(AMOUNT, decimal_text(payment.amount), "n"),
        Cell(WORTH, payment.worth_text, "n"),
        Cell("for blocks", blocks, "n"),
        Cell("transaction", payment.tx_id or f"as {payment.told_by} has it", "id" if payment.tx_id else ""),
        *([Cell("proof", "proof" if link else "", link=link)] if links else []),
    ]


def _worth_of_all(payments: Sequence[Payment]) -> str:
    """What payments were worth together; "" where no price or prices in several currencies are known."""
    currencies = {payment.price.currency for payment in payments if payment.price is not None}
    return worth_text(payments, currencies.pop()) if len(currencies) == 1 else ""
