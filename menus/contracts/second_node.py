"""The second node of the network that stake contracts are on."""

from __future__ import annotations

from menus.frame.levels import attempt
from menus.frame.second_node import ask_for_second_node
from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.settings import Settings, load
from valtrac.wiring.contracts import ContractsApp


def opened(settings: Settings, ui: Ui) -> ContractsApp:
    """The custodian's side, with the second node that the owner names where none is set. He may have named one since
    this program has read its settings."""
    if settings.asks_for_second_bitshares_node:
        settings = load()
    own = ContractsApp(settings)
    if settings.asks_for_second_bitshares_node and attempt(ui, lambda: _second_node(own, ui)):
        own.close()
        own = ContractsApp(load())
    return own


def _second_node(own: ContractsApp, ui: Ui) -> bool:
    def compare(url: str) -> None:
        second = own.open_second(url)
        try:
            if second.identity().genesis_hash != own.chain.identity().genesis_hash:
                raise BadInput("that node serves another chain than the first", fix="name one of the same network")
        finally:
            second.close()

    return ask_for_second_node(ui, "VALTRAC_BITSHARES_SECOND_NODE", "BitShares", compare)
