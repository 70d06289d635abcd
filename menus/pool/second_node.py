"""The second node of the network that the pool is on."""

from __future__ import annotations

from menus.frame.levels import attempt
from menus.frame.second_node import ask_for_second_node
from menus.frame.ui import Ui
from valtrac.settings import Settings, load
from valtrac.wiring.pool import PoolApp


def opened(settings: Settings, ui: Ui) -> PoolApp:
    """The pool's side, with the second node that the owner names where none is set. He may have named one since this
    program has read its settings."""
    if not settings.asks_for_second_qtum_node:
        return PoolApp(settings)
    own = PoolApp(load())

    def answered() -> bool:
        return ask_for_second_node(ui, "VALTRAC_QTUM_SECOND_NODE", "Qtum", own, "http")

    if own.settings.asks_for_second_qtum_node and attempt(ui, answered):
        own.close()
        own = PoolApp(load())
    return own
