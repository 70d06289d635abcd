"""`run.py ledger ...`: what everyone accrued, is owed and was paid; corrections."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame.commands import LARGEST, Json, opened, screen, units
from menus.frame.grouping import group
from menus.payouts import ledger_views as views
from valtrac.core.errors import BadInput
from valtrac.core.money import rao
from valtrac.payouts import balances

app = group("The ledger: accounts, entries, corrections.")


@app.command()
def show(
    whom: Annotated[str | None, typer.Argument(help="A user, an address, owner or pool; all without.")] = None,
    as_json: Json = False,
) -> None:
    """Show all accounts, or one with every entry and its cause."""
    ui, engine = screen(as_json), opened().engine
    if whom is None:
        views.accounts(ui, balances.accounts(engine))
    else:
        views.account(ui, *balances.account(engine, whom))


@app.command()
def correct(
    whom: str,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")],
    underpaid: Annotated[str | None, typer.Option("--underpaid", help="What was too little, in TAO.")] = None,
    overpaid: Annotated[str | None, typer.Option("--overpaid", help="What was too much, in TAO.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, max=LARGEST, help="Where it went wrong.")] = None,
    as_json: Json = False,
) -> None:
    """Put right what was paid wrong: the next payouts add it, or take it back a part at a time."""
    if (underpaid is None) == (overpaid is None):
        raise BadInput("say what was wrong: either --underpaid or --overpaid", fix="--underpaid 1.5")
    more, less = units(underpaid, "underpaid") or 0, units(overpaid, "overpaid") or 0
    ui, engine = screen(as_json), opened().engine
    account = balances.correct(engine, whom, more - less, reason, batch_id=batch)
    ui.done(
        f"Booked. {account.name} has {rao(account.held)} coming with the next payout."
        if account.held >= 0
        else f"Booked. {rao(-account.held)} is taken back from {account.name} in the next payouts."
    )
    if as_json:
        ui.records(views.record(account))
