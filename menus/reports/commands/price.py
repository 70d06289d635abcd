"""`run.py price ...`: what TAO costs in money, asked of exchanges, entered or imported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from menus.frame.commands import Json, Out, opened, screen
from menus.frame.grouping import group
from menus.frame.layout import count
from valtrac.core.errors import Exit
from valtrac.reports import prices
from valtrac.reports.model.prices import UNKNOWN, Price, parse_moment, price_text, span_text
from valtrac.settings import Settings

app = group("The price of TAO in money: show, refresh, enter, import, list.")
When = Annotated[str | None, typer.Option("--at", help="A date (UTC): 2026-01-31 or 2026-01-31 14:30. Default: now.")]
HOW = "Ask the exchanges: run.py price refresh, or enter one: run.py price enter 412.50"


@app.command()
def show(at: When = None, as_json: Json = False) -> None:
    """Show the price that holds now, or held at a time.

    It is unknown where there is none that is young enough (VALTRAC_PRICE_MAX_AGE_S).
    """
    ui, valtrac = screen(as_json), opened()
    moment = _moment(at) or datetime.now(UTC)
    price = prices.known(valtrac.engine, valtrac.settings, moment)
    if as_json:
        ui.records({**_record(valtrac.settings.currency, price), "age_s": _age_s(price, moment)})
        return
    ui.facts(
        [
            ("1 TAO", price or UNKNOWN),
            *(
                [("of", f"{price.at:%Y-%m-%d %H:%M:%S} UTC, {span_text(_age_s(price, moment) or 0)} before")]
                if price
                else []
            ),
            *([("said by", price.source)] if price else []),
            *([("words", price.words)] if price and price.words else []),
            ("exchanges asked", ", ".join(valtrac.settings.exchanges) or _nobody(valtrac.settings)),
        ]
    )
    if price is None:
        ui.hint(HOW)


@app.command()
def refresh(as_json: Json = False) -> int:
    """Ask the exchanges and keep the median.

    Who is left out is named with the reason. Exit code 4 where none of them has a price that counts.
    """
    ui, valtrac = screen(as_json), opened()
    with ui.working("Asking the exchanges"):
        price = prices.refresh(valtrac.engine, valtrac.prices)
    known = price if isinstance(price, Price) else None
    if as_json:
        reasons = [] if isinstance(price, Price) else list(price.reasons)
        ui.records({**_record(valtrac.settings.currency, known), "reasons": reasons})
    if isinstance(price, Price):
        ui.done(f"1 TAO is {price}: {price.source}.")
        if price.words:
            ui.hint(price.words)
        return int(Exit.DONE)
    ui.warn(f"The price of TAO is {UNKNOWN}.")
    for reason in price.reasons or (_nobody(valtrac.settings),):
        ui.say(f"  {reason}")
    ui.hint("Enter one: run.py price enter 412.50")
    return int(Exit.UNREACHABLE)


@app.command()
def enter(
    amount: Annotated[str, typer.Argument(help="Money for one TAO: 412.50")],
    at: When = None,
    words: Annotated[str, typer.Option("--words", help="Where you have it from.")] = "",
    as_json: Json = False,
) -> None:
    """Enter a price by hand, in VALTRAC_CURRENCY.

    Of two for one time the later entry counts; nothing is overwritten.
    """
    ui, valtrac = screen(as_json), opened()
    price = prices.enter(valtrac.engine, amount, valtrac.settings.currency, at=_moment(at), words=words)
    ui.done(f"1 TAO was {price} at {price.at:%Y-%m-%d %H:%M:%S} UTC.")
    if as_json:
        ui.records(_record(price.currency, price))


@app.command("import")
def import_(file: Path, as_json: Json = False) -> None:
    """Store the prices of FILE (Date,Price), all or nothing.

    FILE is CSV, .xlsx, .ods or .parquet. They are in VALTRAC_CURRENCY.

    A date alone is its first moment, UTC. Known prices are passed over.
    """
    ui, valtrac = screen(as_json), opened()
    done = prices.import_file(valtrac.engine, file, valtrac.settings.currency)
    ui.done(f"{count(done.new, 'new price')} in {valtrac.settings.currency}, {done.known} known already.")
    if as_json:
        ui.records({"new": done.new, "known": done.known})


@app.command("list")
def list_(
    last: Annotated[int, typer.Option("--last", min=1, max=1_000_000, help="How many.")] = 30,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """List the newest prices in VALTRAC_CURRENCY.

    Of two for one time the first in the list counts.
    """
    ui, valtrac = screen(as_json), opened()
    currency = valtrac.settings.currency
    listed = prices.listed(valtrac.engine, currency, last)
    if out is not None:
        ui.done(f"{count(prices.export(out, listed), 'price')} written to {out}.")
        return
    if as_json:
        ui.records([_record(currency, price) for price in listed])
        return
    ui.table(
        "Prices of TAO, the newest first",
        ["at UTC", f"price ({currency})", "said by", "words"],
        [[f"{price.at:%Y-%m-%d %H:%M}", price_text(price.price_nano), price.source, price.words] for price in listed],
        optional=["words"],
        empty=f"No prices in {currency} yet. {HOW}",
    )


def _record(currency: str, price: Price | None) -> dict[str, Any]:
    """A price for a program; every value of an unknown one is null."""
    return {
        "currency": currency,
        "price": price_text(price.price_nano) if price else None,
        "price_nano": str(price.price_nano) if price else None,
        "at": price.at.isoformat() if price else None,
        "source": price.source if price else None,
        "words": price.words if price else None,
    }


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_moment(text, field="--at")


def _age_s(price: Price | None, moment: datetime) -> float | None:
    return None if price is None else round((moment - price.at).total_seconds(), 3)


def _nobody(settings: Settings) -> str:
    """Why no exchange is asked."""
    if settings.price_sources:
        return "none: a rehearsal asks nobody unless VALTRAC_PRICE_SOURCES is set"
    return "none: VALTRAC_PRICE_SOURCES is empty"
