"""`run.py contracts rule-gone`: the owner's word that the history in which a payment was signed is gone."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.contracts.opened import with_app
from menus.frame.commands import screen
from valtrac.wiring.contracts import ContractsApp


def rule_gone(
    tx_id: Annotated[str, typer.Argument(help="The transaction, as `contracts pay` calls it.")],
    words: Annotated[str, typer.Option("--words", help="How you know; kept for ever.")],
) -> None:
    """Say of an open transaction that the history it was signed in is gone for good; its payments are due again."""
    from valtrac.payments import reconcile

    def act(own: ContractsApp) -> None:
        attempt = reconcile.rule_gone(own.custodian.door(), tx_id, words)
        screen().done(f"Transaction {attempt.tx_id} counts as dead: what it was to pay is due again.")

    with_app(act)
