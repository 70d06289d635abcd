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


def rule_gone(
    tx_id: Annotated[str, typer.Argument(help="The transaction, as `payout reconcile` calls it.")],
    words: Annotated[str, typer.Option("--words", help="How you know; kept for ever.")],
) -> None:
    """Say of an open transaction that the history it was signed in is gone for good; its payments are owed again."""
    from valtrac.payments import reconcile

    valtrac = opened()
    try:
        attempt = reconcile.rule_gone(valtrac.door(), tx_id, words)
    finally:
        valtrac.close()
    screen().done(
        f"Transaction {attempt.tx_id} counts as dead: what it was to pay of batch #{attempt.batch_id} is owed."
    )
