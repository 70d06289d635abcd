"""`run.py contracts loan-reference`: who, besides the managers, may lend to the custodian."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.contracts.opened import with_app
from menus.frame.commands import Json, screen
from menus.frame.ui import Ui
from valtrac.wiring.contracts import ContractsApp


def loan_reference(
    account: Annotated[str | None, typer.Argument(help="Who lends; without it, what was given out is listed.")] = None,
    words: Annotated[str, typer.Option("--words", help="What it is for; kept for ever.")] = "",
    as_json: Json = False,
) -> None:
    """Give ACCOUNT a memo with which it may lend: anybody else's memo loan gets its money back less the fee."""
    with_app(lambda own: _give(screen(as_json), own, account, words) if account else _list(screen(as_json), own))


def _give(ui: Ui, own: ContractsApp, account: str, words: str) -> None:
    from valtrac.contracts.arrivals import give_reference

    memo = give_reference(own.engine, account, words)
    ui.done(f"What {account} sends with the memo {memo} is a loan.")
    if ui.as_json:
        ui.records({"account": account, "memo": memo})


def _list(ui: Ui, own: ContractsApp) -> None:
    from valtrac.contracts.store import loans
    from valtrac.database.engine import reading

    with reading(own.engine) as conn:
        given = loans.listed(conn)
    if ui.as_json:
        ui.records([{"account": row.name, "memo": f"loan#{row.reference}", "words": row.words} for row in given])
        return
    ui.table(
        "Who may lend, besides the managers",
        ["account", "memo", "words", "given at UTC"],
        [[row.name, f"loan#{row.reference}", row.words, f"{row.at:%Y-%m-%d %H:%M}"] for row in given],
        optional=["given at UTC"],
        empty="Nobody. Give somebody a memo for it: run.py contracts loan-reference ACCOUNT",
    )
