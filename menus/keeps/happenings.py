"""What an owner lets happen in the rehearsal of keeps, from the menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from menus import same
from menus.frame.ui import Ui
from menus.keeps.rehearsing import let_pass, satoshi
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.rehearsal import keeps
from valtrac.settings import Settings

NEXT = "Next: One pass."
LOTS = ("0.01", "0.1", "1", "5", "10")
TEN = 10 * 10**18


def _percent(ui: Ui, settings: Settings) -> None:
    typed = ui.text("To which percentage? (empty to go back)", check=_whole)
    if typed:
        keeps.set_percent(settings, int(typed))
        ui.done(f"What began at 150 % is at {typed} % now. {NEXT}")
        _same(ui, percent=int(typed))


def _hours(ui: Ui, settings: Settings) -> None:
    def check(typed: str) -> object:
        return keeps.amount(typed, field="hours") if typed else None

    typed = ui.text("How many? (empty to go back)", check=check)
    if typed:
        ui.done(f"{let_pass(ui, settings, typed, field='hours')} {NEXT}")
        _same(ui, hours=typed)


def _deposit(ui: Ui, settings: Settings) -> None:
    lot = ui.choose("Of how many BTC?", list(LOTS))
    if lot is None:
        return
    for each in keeps.deposits(settings, [satoshi(lot)]):
        ui.done(f"Deposit {each['deposit']} is active.")
    _same(ui, deposit=[lot])


def _fund(ui: Ui, settings: Settings) -> None:
    with ui.working("TBTC is minted"):
        keeps.fund(settings, tbtc=TEN, ether=TEN)
    ui.done("The wallet got 10 TBTC and 10 ETH.")
    _same(ui, fund="10")


def _offline(ui: Ui, settings: Settings) -> None:
    keeps.set_price(settings, keeps.amount("0", field="price"))
    ui.done(f"The price feed is off; a percentage turns it on again. {NEXT}")
    _same(ui, price="0")


def _members(ui: Ui, settings: Settings, *, silent: bool) -> None:
    keeps.members(settings, silent=silent)
    ui.done("The members are silent." if silent else "The members sign what is asked of them.")
    _same(ui, silent=silent, speak=not silent)


def _end(ui: Ui, settings: Settings) -> None:
    keeps.end(settings)
    ui.done("It has ended; it goes on from there when it is started again.")
    _same(ui, stop=True)


def _same(ui: Ui, **given: object) -> None:
    same.tell(ui, "keeps rehearse", **given)


def _whole(typed: str) -> object:
    if typed and not (typed.isascii() and typed.isdigit() and 1 <= int(typed) <= 1_000):
        raise BadInput(f"{plain(typed, 20)!r} is no percentage", fix="type 1 to 1000")
    return typed


ALL: dict[str, Callable[[Ui, Settings], None]] = {
    "Collateral falls or rises": _percent,
    "Hours go by: members sign, Bitcoin is mined": _hours,
    "A deposit is made": _deposit,
    "The wallet gets 10 TBTC and 10 ETH": _fund,
    "The price feed is off": _offline,
    "The members fall silent": partial(_members, silent=True),
    "The members sign again": partial(_members, silent=False),
    "End it": _end,
}
