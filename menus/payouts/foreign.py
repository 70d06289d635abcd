"""`run.py payout rule-foreign`: the owner's word on a transaction that is not in the journal."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame.commands import opened, screen
from valtrac.core.money import TAO


def rule_foreign(
    words: Annotated[str, typer.Option("--words", help="What the transaction was; kept for ever.")],
    it_pays_users: Annotated[
        bool, typer.Option("--it-pays-users", help="It pays addresses of users and was still no payout.")
    ] = False,
) -> None:
    """Say of the wallet's unexplained transaction that it was no payment of a batch, so that paying can go on."""
    from valtrac.payments import foreign

    valtrac = opened()
    try:
        ruled = foreign.rule(valtrac.door(), valtrac.wallet_address, words, pays_users=it_pays_users)
    finally:
        valtrac.close()
    screen().done(
        f"Nonce {ruled.used.nonce}, used in block {ruled.used.head.number}, counts as foreign: "
        f"{foreign.described(ruled, TAO)}."
    )
