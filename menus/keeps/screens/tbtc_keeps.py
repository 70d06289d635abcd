"""tBTC keeps: what is in danger, what was done, what the wallet holds, and what can be tried."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.keeps import KeepsApp
    from valtrac.wiring.payouts import App

TITLE = "tBTC keeps"
ORDER = 98
GROUP = groups.CHAINS
NOW, LIVE, ONE, REDEMPTIONS, LOG, WALLET, PRICE, CHART = (
    "The watch list now",
    "Watch them live",
    "Everything of one keep",
    "Redemptions and how far they are",
    "The audit log",
    "What the wallet holds",
    "What a price would bring",
    "Chart: collateral over time",
)
PASS, REDEEM, START, STOP, UNLOCK, CHECK, SETTINGS, MAKE, MINT, IMPORT, REHEARSE = (
    "One pass: look, and redeem what has to be",
    "Redeem one by hand",
    "Start the background job",
    "Stop the background job",
    "Unlock it: redeem by itself",
    "Is everything in its place?",
    "Settings: thresholds, caps, what is redeemed",
    "The wallet: make one, bring one over, its password",
    "Mint TBTC with bitcoin of yours",
    "Come over from keep-collateral",
    "Rehearse: move the price, let time pass",
)

SAME = {
    NOW: "keeps now",
    REDEMPTIONS: "keeps redemptions",
    WALLET: "keeps wallet show",
    CHART: "keeps chart",
    START: "keeps start",
    STOP: "keeps stop",
    UNLOCK: "keeps unlock",
    CHECK: "keeps check",
}
NEWEST = 60  # lines


def run(app: App, ui: Ui) -> None:
    from menus import same
    from valtrac import settings as config
    from valtrac.wiring.keeps import KeepsApp

    own = KeepsApp(config.load())  # another screen may have changed them since the program began
    acts = {
        NOW: _now,
        LIVE: _live,
        ONE: _one,
        REDEMPTIONS: _redemptions,
        LOG: _log,
        WALLET: _wallet,
        PRICE: _price,
        CHART: _chart,
        PASS: _pass,
        REDEEM: _redeem,
        START: _start,
        STOP: _stop,
        UNLOCK: _unlock,
        CHECK: _check,
        SETTINGS: _settings,
        MAKE: _make,
        MINT: _mint,
        IMPORT: _import,
    }
    if own.settings.rehearsing_keeps:
        acts[REHEARSE] = _rehearse
    try:
        levels.attempt(ui, lambda: _state(own, ui))
        while True:
            chosen = ui.choose("What about the keeps?", list(acts), gap_before=PASS)
            if chosen is None:
                return
            act = partial(acts[chosen], own, ui)
            levels.attempt(ui, partial(same.doing, ui, act, SAME.get(chosen), locked=own.needs_password))
            if chosen == SETTINGS:  # what was changed holds from here on
                own.close()
                own = KeepsApp(config.load())
    finally:
        own.close()


def _state(own: KeepsApp, ui: Ui) -> None:
    """One line of where this is, and what to do next."""
    from menus.keeps import acts
    from valtrac.keeps import overview
    from valtrac.rehearsal import keeps as rehearsal

    if own.settings.rehearsing_keeps and rehearsal.running(own.settings) is None:
        ui.hint("Rehearsal: tBTC does not run here yet. Next: Rehearse starts it.")
        return
    listed = acts.watched(own)
    told = overview.counts(own.engine, listed)
    if not told.known:
        ui.hint("No keep is known yet. Next: One pass looks for them.")
        return
    said = f"{told.watched} keeps watched: {told.danger} in danger, {told.low} low, {told.redeeming} being redeemed."
    (ui.warn if told.danger else ui.hint)(said)


def _now(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps.acts import show_now

    show_now(ui, own)


def _live(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps.console import watch_keeps

    watch_keeps(ui, own)
    same.tell(ui, "keeps watch", look_only=True)


def _one(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps.acts import show_keep

    deposit = _which(own, ui, "Which deposit?")
    if deposit:
        show_keep(ui, own, deposit)
        same.tell(ui, "keeps show", address=deposit)


def _which(own: KeepsApp, ui: Ui, question: str, *, redeemable: bool = False) -> str:
    from menus.keeps import acts, views

    listed = [each for each in acts.watched(own) if each.now.state.redeemable or not redeemable]
    if not listed:
        ui.hint("None is known yet: One pass looks for them.")
        return ""
    chosen = ui.choose(
        question,
        listed,
        label=lambda each: (
            f"{views.mark(each):2} {each.keep.deposit}  {views.STATES[each.now.state]} {views.percent(each)}".rstrip()
        ),
    )
    return "" if chosen is None else chosen.keep.deposit


def _redemptions(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps import views
    from valtrac.database.engine import reading
    from valtrac.keeps.store import redemptions

    with reading(own.engine) as conn:
        listed = redemptions.listed(conn)
    views.redemptions(ui, listed)


def _log(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps import views
    from valtrac.keeps import overview

    views.log(ui, overview.log(own.engine, most=NEWEST))
    same.tell(ui, "keeps log", limit=NEWEST)


def _wallet(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps.acts import show_holdings

    show_holdings(ui, own)


def _price(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps.acts import at_price
    from valtrac.rehearsal.keeps import amount

    def check(typed: str) -> object:
        return amount(typed, field="price") if typed else None

    typed = ui.text("What would a bitcoin be worth, in ETH? (empty to go back)", check=check)
    if typed:
        at_price(ui, own, amount(typed, field="price"))
        same.tell(ui, "keeps price", eth_per_btc=typed)


def _chart(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps.drawing import draw

    draw(ui, own)


def _pass(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps.acts import one_round

    seen = one_round(ui, own, look_only=True, password=None)
    if not seen.to_be_sent:
        ui.hint("Nothing has to be redeemed now.")
    elif ui.confirm("Send the transactions named above now?"):
        one_round(ui, own, look_only=False, password=None)
        same.tell(ui, "keeps watch", once=True, password_stdin=own.needs_password)
        return
    same.tell(ui, "keeps watch", once=True, look_only=True)


def _redeem(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps.acts import redeem

    deposit = _which(own, ui, "Redeem which deposit?", redeemable=True)
    if deposit and redeem(ui, own, deposit, yes=False, password=None):
        same.tell(ui, "keeps redeem", address=deposit, yes=True, password_stdin=own.needs_password)


def _start(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps.acts import start_job

    start_job(ui, own)


def _stop(own: KeepsApp, ui: Ui) -> None:
    from menus.jobs import together
    from menus.keeps.acts import START as COMMAND

    together.stop(ui, own.settings, COMMAND)


def _unlock(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps.acts import unlock_job

    unlock_job(ui, own)


def _check(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps.checking import show_checks

    show_checks(ui, own)


def _settings(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps import changing

    changing.asked(ui)


def _mint(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps import minting

    minting.listed(ui, own)
    asked, further, lots = "Ask for a deposit", "Bring those that were asked for on", "Which lots can be asked for"
    chosen = ui.choose("What about minting?", [asked, further, lots])
    if chosen == lots:
        minting.lots(ui, own)
        same.tell(ui, "keeps mint lots")
    elif chosen == further:
        minting.go_on(ui, own, password=None)
        same.tell(ui, "keeps mint go-on", password_stdin=own.needs_password)
    elif chosen == asked:
        lot = ui.choose("Of how many BTC?", ["0.01", "0.1", "0.2", "0.5", "1", "5", "10"])
        if lot is not None and minting.ask(ui, own, lot, yes=False, password=None):
            same.tell(ui, "keeps mint ask", lot=lot, yes=True, password_stdin=own.needs_password)


def _make(own: KeepsApp, ui: Ui) -> None:
    from menus import same
    from menus.keeps import wallet

    new, file, key = "Make a new one", "From an encrypted file of another program", "From a private key"
    keep, forget = "Keep its password in this system's keyring", "Forget its password there"
    chosen = ui.choose("What about the wallet?", [new, file, key, keep, forget], gap_before=keep)
    if chosen is None:
        return
    if chosen == keep:
        wallet.keep_password(ui, own)
        same.tell(ui, "keeps wallet keep-password", password_stdin=True)
        return
    if chosen == forget:
        wallet.forget_password(ui, own)
        same.tell(ui, "keeps wallet forget-password")
        return
    where = ui.text("Where does its encrypted file go?", default=wallet.USUAL)
    if not where:
        return
    if chosen == new:
        wallet.make(ui, own, where)
        same.tell(ui, "keeps wallet make", file=where)
        return
    source = ui.path("Which file?") if chosen == file else ""
    if chosen == key or source:
        wallet.bring(ui, own, where, source)
        same.tell(ui, "keeps wallet import", file=where, source=source)


def _import(own: KeepsApp, ui: Ui) -> None:
    from pathlib import Path

    from menus import same
    from menus.keeps.acts import bring_over
    from valtrac.core.errors import BadInput

    typed = ui.path("Its .env, or its data/mainnet/keeps.json? (empty to go back)")
    if not typed:
        return
    place = Path(typed).expanduser()
    if not place.is_file():
        raise BadInput(f"there is no file called {typed[:100]}", fix="give its whole path")
    bring_over(ui, own, place, dry_run=False)
    same.tell(ui, "keeps import", place=place)


def _rehearse(own: KeepsApp, ui: Ui) -> None:
    from menus.keeps import happenings
    from menus.keeps.rehearsing import ready

    if ready(ui, own.settings):
        return
    chosen = ui.choose("What happens there?", list(happenings.ALL))
    if chosen is not None:
        happenings.ALL[chosen](ui, own.settings)
