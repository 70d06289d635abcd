"""`run.py payout rule-foreign, lost, rule-gone`: the owner's word on transactions that the journal cannot explain."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from menus.frame.commands import LARGEST, Hotkey, Json, opened, screen
from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.core.money import TAO, Amount

if TYPE_CHECKING:
    from valtrac.coming_over.lost_payouts import Lost
    from valtrac.wiring.payouts import App


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


def lost(
    to: Annotated[
        int | None,
        typer.Option(
            "--to", min=0, max=LARGEST, help="The last block that it paid for, where the log does not list it."
        ),
    ] = None,
    words: Annotated[str, typer.Option("--words", help="How you know; kept for ever.")] = "",
    accept_history: Annotated[
        bool,
        typer.Option(
            "--accept-history", help="Nothing that the wallet sent before the first listed one was a payment."
        ),
    ] = False,
    hotkey: Hotkey = None,
    as_json: Json = False,
) -> None:
    """Count the wallet's unexplained transactions as payouts whose batch a restored database has lost.

    What the log of payments lists is compared with the chain. Statements show the payments, and the next payout begins
    after the blocks that they were for.
    """
    ui, valtrac = screen(as_json), opened()
    try:
        taken = take_over(valtrac, ui, valtrac.hotkey(hotkey), to_block=to, words=words, accept_history=accept_history)
    finally:
        valtrac.close()
    if as_json:
        with ui.afterwards():
            ui.records([asdict(payout) for payout in taken])


def take_over(valtrac: App, ui: Ui, hotkey: str, **how: Any) -> list[Lost]:
    """Count what the wallet paid, and nobody here knows of, as payouts, and say what came of it."""
    from valtrac.coming_over import lost_payouts

    with ui.working("Looking the wallet's transactions up"):
        taken = lost_payouts.take_over(
            valtrac.door(), valtrac.wallet_address, hotkey, hotkeys=valtrac.known_hotkeys(), **how
        )
    for payout in taken:
        _tell(ui, payout)
    ui.hint("What a lost payout held back for later is in no account: see run.py ledger correct.")
    ui.hint("Next: run.py backup compare, where the database was restored.")
    return taken


def _tell(ui: Ui, payout: Lost) -> None:
    what = f"up to block {payout.to_block}" if payout.to_block >= 0 else "of held balances"
    ui.done(
        f"The transaction in block {payout.block} counts as a payout {what}: "
        f"{count(payout.payments, 'payment')}, {Amount(payout.amount_rao, TAO)}."
    )
    if payout.held_rao:
        ui.say(f"{Amount(payout.held_rao, TAO)} that was held for its payees before counts as paid with it.")
    if payout.gap is not None:
        first, last = payout.gap
        ui.warn(
            f"Nothing here says that blocks {first} to {last} were paid, and they count as paid now. Where they were "
            f"not: run.py payout begin-after {first - 1}, then plan with --from {first} --to {last}."
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
