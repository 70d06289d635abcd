"""Minting TBTC with bitcoin of one's own, from a menu or by a command."""

from __future__ import annotations

from typing import Any

from menus.frame.commands import agree
from menus.frame.ui import Ui
from menus.keeps.acts import unlock_here
from menus.keeps.rehearsing import satoshi
from valtrac.core.errors import BadInput
from valtrac.core.money import ETH, Amount
from valtrac.database.engine import reading
from valtrac.keeps import minting
from valtrac.keeps.overview import in_btc
from valtrac.keeps.store import mints as store
from valtrac.keeps.store.mints import Mint
from valtrac.wiring.keeps import KeepsApp


def lots(ui: Ui, own: KeepsApp) -> None:
    """Which lots can be asked for now."""
    with ui.working("Asking the contracts"):
        found = minting.possible(own.watching)
    if ui.as_json:
        ui.records([{"lot_btc": in_btc(each.lot), "possible": not each.words, "why_not": each.words} for each in found])
        return
    ui.table(
        "Lots",
        ["BTC", "reserves (ETH)", "why not"],
        [[in_btc(each.lot), f"{each.needs / 10**18:,.4f}", each.words or "can be asked for"] for each in found],
    )


def listed(ui: Ui, own: KeepsApp) -> None:
    """The deposits that were asked for."""
    with reading(own.engine) as conn:
        found = store.listed(conn)
    if ui.as_json:
        ui.records([as_json(each) for each in found])
        return
    ui.table(
        "Deposits of your own",
        ["number", "BTC", "deposit", "state", "how far"],
        [[each.id, in_btc(each.lot), each.deposit[:10], each.state, each.words] for each in found],
        empty="None was asked for: run.py keeps mint ask 0.01",
    )


def as_json(each: Mint) -> dict[str, Any]:
    """One as plain values."""
    return {
        "number": each.id,
        "lot_btc": in_btc(each.lot),
        "deposit": each.deposit,
        "keep": each.keep,
        "state": each.state.value,
        "pay_to": each.pay_to,
        "bitcoin_transaction": each.bitcoin_tx,
        "confirmations": each.confirmations,
        "words": each.words,
    }


def ask(ui: Ui, own: KeepsApp, lot: str, *, yes: bool, password: str | None) -> bool:
    """Ask for a deposit, after it was shown what that reserves; whether it was done."""
    wanted = satoshi(lot)
    chosen = next((each for each in minting.possible(own.watching) if each.lot == wanted), None)
    if chosen is None:
        raise BadInput(f"{wanted} satoshi is no lot", fix="see: run.py keeps mint lots")
    if not ui.as_json:
        ui.say(
            f"A deposit of {in_btc(wanted)} BTC: its whole way reserves {Amount(chosen.needs, ETH)} for gas and fee."
        )
        ui.say("Once its members have made a key you pay the lot from a Bitcoin wallet of yours, within 3 hours.")
    if not chosen.words and not agree(ui, yes, "Ask for it?"):
        return False
    unlock_here(ui, own, password=password)
    made = minting.ask(own.watching, own.payer(), wanted, most=chosen.needs)
    if ui.as_json:
        ui.records(as_json(made))
        return True
    ui.done(f"Asked for: deposit {made.deposit}. Next: run.py keeps mint go-on, once its members have made a key.")
    return True


def go_on(ui: Ui, own: KeepsApp, *, password: str | None) -> None:
    """Bring every one on."""
    unlock_here(ui, own, password=password)
    with ui.working("Looking how far they are"):
        said = minting.advance(own.watching, own.payer())
    if not ui.as_json:
        for words in dict.fromkeys(said):
            ui.say(words)
    listed(ui, own)


def abort(ui: Ui, own: KeepsApp, number: int, *, password: str | None) -> None:
    """Ask for the bitcoin back."""
    unlock_here(ui, own, password=password)
    minting.abort(own.watching, own.payer(), number)
    ui.done("The members were asked. Nothing makes them pay it back: their bond is what they have to lose.")
