"""`run.py contracts new-deposit-account`: the owner's word that an exchange takes deposits elsewhere now."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.contracts.opened import with_app
from menus.frame.commands import screen
from valtrac.wiring.contracts import ContractsApp


def new_deposit_account(
    exchange: Annotated[str, typer.Argument(help="The name of the exchange account in the settings.")],
    words: Annotated[str, typer.Option("--words", help="How you know; kept for ever.")],
) -> None:
    """Let an exchange name another account for deposits: the next that it names is the one from then on."""
    from valtrac.contracts import deposit_accounts

    def act(own: ContractsApp) -> None:
        account, memo = deposit_accounts.let_go(own.engine, exchange, words)
        screen().done(f"Deposits to {exchange} went to {account} with memo {memo}; the next that it names counts.")

    with_app(act)
