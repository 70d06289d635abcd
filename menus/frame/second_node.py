"""Asking for a second node when a real network is set up: one that is asked alone can say what it likes."""

from __future__ import annotations

from typing import Any, Protocol

from menus.frame.ui import Ui
from valtrac import settings
from valtrac.core.endpoints import NONE, can_be_altered
from valtrac.core.errors import BadInput, ChainUnreachable


class Side(Protocol):
    """A wiring, as far as it has a first node and opens a second one."""

    @property
    def chain(self) -> Any:
        """The chain by the first node."""
        ...

    def open_second(self, url: str, /) -> Any:
        """The chain by a node that has to agree with it."""
        ...


def ask_for_second_node(ui: Ui, setting: str, network: str, side: Side, scheme: str = "wss") -> bool:
    """Have the owner name a node that has to agree with the first, or say that there is none; whether he did either.
    The answer is written into the settings file."""
    ui.warn(
        f"One node of {network} is trusted with your payments: if it lies, or somebody changes what it says, money can "
        "be lost. A second one that somebody else runs has to agree with it before anything counts as paid, failed or "
        "lost. Lists of public nodes are in the network's own documentation."
    )
    ui.hint(f"Your answer is kept as {setting} in {settings.settings_file()}.")

    def good(typed: str) -> None:
        settings.try_value(setting, typed.strip())

    typed = ui.text(f"Its address, {scheme}://...; {NONE}: go on with one; Enter: ask me next time", check=good)
    if not typed:
        ui.hint(f"You go on with one node for now. It can be named at any time: {setting}.")
        return False
    if can_be_altered(typed):
        ui.warn("That address is not encrypted: whoever sits between can change what the node answers.")
        if not ui.confirm("Use this address though it is not encrypted?"):
            return False
    if typed.lower() != NONE and not _agrees(ui, typed, side):
        return False
    path = settings.write(setting, typed)
    ui.done(f"{setting} is in {path}." if typed.lower() != NONE else f"You go on with one node; {path} says so.")
    return True


def _agrees(ui: Ui, url: str, side: Side) -> bool:
    """Whether the node may be kept: it serves the same chain, or the owner keeps it although nobody could be asked."""
    try:
        with ui.working("Asking both nodes which chain they serve"):
            _compare(url, side)
    except BadInput as error:
        ui.error(error)
        return False
    except ChainUnreachable as error:
        ui.error(error)
        return ui.confirm("Keep this address though it was not asked? Nothing is paid until both nodes answer.")
    return True


def _compare(url: str, side: Side) -> None:
    """Raise BadInput where the node serves another chain than the first, ChainUnreachable where one does not answer."""
    second = side.open_second(url)
    try:
        if second.identity().genesis_hash != side.chain.identity().genesis_hash:
            raise BadInput("that node serves another chain than the first", fix="name one of the same network")
    finally:
        second.close()
