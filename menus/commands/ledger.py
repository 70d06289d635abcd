"""`run.py ledger ...`: what everyone accrued, is owed and was paid; corrections."""

from __future__ import annotations

from typing import Annotated

import typer

from menus import ledger_views as views
from menus.commands.common import LARGEST, Json, group, opened, screen, units
from valtrac.domain.money import rao
from valtrac.errors import BadInput
from valtrac.services import balances

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
        raise BadInput("say what was wrong: either --underpaid or --overpaid", "", "--underpaid 1.5")
    more, less = units(underpaid, "underpaid") or 0, units(overpaid, "overpaid") or 0
    ui, engine = screen(as_json), opened().engine
    found = balances.correct(engine, whom, more - less, reason, batch_id=batch)
    ui.done(
        f"Booked. {found.name} has {rao(found.held)} coming with the next payout."
        if found.held >= 0
        else f"Booked. {rao(-found.held)} is taken back from {found.name} in the next payouts."
    )
    if as_json:
        ui.records(views.record(found))
