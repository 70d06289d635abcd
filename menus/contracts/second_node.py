"""The second node of the network that stake contracts are on."""

from __future__ import annotations

from menus.frame.levels import attempt
from menus.frame.second_node import ask_for_second_node
from menus.frame.ui import Ui
from valtrac.settings import Settings, load
from valtrac.wiring.contracts import ContractsApp


def opened(settings: Settings, ui: Ui) -> ContractsApp:
    """The custodian's side, with the second node that the owner names where none is set. He may have named one since
    this program has read its settings."""
    if not settings.asks_for_second_bitshares_node:
        return ContractsApp(settings)
    settings = load()
    own = ContractsApp(settings)

    def answered() -> bool:
        return ask_for_second_node(ui, "VALTRAC_BITSHARES_SECOND_NODE", "BitShares", own)

    if settings.asks_for_second_bitshares_node and attempt(ui, answered):
        own.close()
        own = ContractsApp(load())
    return own
