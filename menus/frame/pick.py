"""Questions that several menus ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from menus.frame.ui import Back, Ui
from valtrac.core.addresses import BadAddress, key_of, shortened
from valtrac.core.errors import BadInput
from valtrac.core.money import parse_bps, parse_units, short_text

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

ALL_BPS = 10_000
ALL_SUBNETS = "all"
MOST_LISTED = 15  # more than these are found by typing


def hotkey(app: App, ui: Ui) -> str:
    """The hotkey meant; asked only where there are several. Raises BadInput with the next step without any."""
    known = app.known_hotkeys()
    if not known and app.settings.network == "devnet":
        raise BadInput("the rehearsal chain has not begun yet", fix="begin it under Network and wallet")
    if not known:
        raise BadInput("no hotkey is set", fix="write VALTRAC_HOTKEYS=5... in .env, then start ValTrac again")
    if len(known) == 1:
        return known[0]
    chosen = ui.choose("Which hotkey?", list(known), label=shortened, remember="hotkey")
    if chosen is None:
        raise Back
    return chosen


def if_several(app: App, hotkey: str) -> str | None:
    """The hotkey where a command has to be told which is meant; None where it is the only one."""
    return hotkey if len(app.known_hotkeys()) != 1 else None


def subnet(ui: Ui, question: str, netuids: Sequence[int], *, remember: str = "") -> int | None:
    """One of several subnets, or None for all of them; the only one without a question. Raises Back."""
    if len(netuids) == 1:
        return netuids[0]
    chosen = ui.choose(question, [*map(str, netuids), ALL_SUBNETS], label=subnet_words, remember=remember)
    if chosen is None:
        raise Back
    return None if chosen == ALL_SUBNETS else int(chosen)


def subnet_words(text: str) -> str:
    """A subnet as an owner reads it: `0` -> `root (netuid 0)`."""
    if text == ALL_SUBNETS:
        return "all subnets, valued in TAO"
    return "root (netuid 0)" if text == "0" else f"subnet {text}"


def one_of(ui: Ui, question: str, names: Sequence[str]) -> str | None:
    """One of some names: from a list, or by typing a part where there are many. None for back."""
    if len(names) <= MOST_LISTED:
        return ui.choose(question, names)
    return ui.find(f"{question} Type a part of the name, Tab for the list (empty to go back):", names)


def amount(ui: Ui, question: str, field: str) -> int:
    """An amount of TAO, as rao; asked again until it is one, or nothing for back."""
    typed = ui.text(question, check=lambda text: parse_units(text, field=field))
    if not typed:
        raise Back
    return parse_units(typed, field=field)


def rate(ui: Ui, question: str) -> int:
    """A rate, as basis points; nothing for back. All of it is asked about: a 1 meant as 1 % is 100 %."""
    while True:
        typed = ui.text(question, check=lambda text: parse_bps(text, field="rate"))
        if not typed:
            raise Back
        bps = parse_bps(typed, field="rate")
        if bps < ALL_BPS or ui.confirm(everything(typed)):
            return bps


def typed(bps: int) -> str:
    """A rate as somebody would type it: 2500 -> `25%`."""
    return f"{short_text(bps, 2)}%"


def everything(typed: str) -> str:
    """The question about a part that is all."""
    return f"{typed.strip()} is 100 %: nothing is left for the other one. Is that meant? (1 % is written 1% or 0.01)"


def address(ui: Ui, question: str) -> str:
    """An address, checked letter by letter; empty for none."""

    def check(text: str) -> None:
        try:
            key_of(text.strip())
        except BadAddress as error:
            raise BadInput(f"not an address: {error}") from error

    return ui.text(question, check=check)


def block(ui: Ui, question: str, default: int | None, *, most: int | None = None) -> int:
    """A block number, up to `most`. Without a default an empty answer leads back."""

    def check(text: str) -> None:
        if not (text.strip().isascii() and text.strip().isdecimal()) or len(text) > 15:
            raise BadInput("a block number has only digits")
        if most is not None and int(text) > most:
            raise BadInput(f"the last snapshot is of block {most}")

    typed = ui.text(question, default="" if default is None else str(default), check=check)
    if not typed and default is None:
        raise Back
    return int(typed or default or 0)
