"""The second node of the network that payouts are made on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame.second_node import ask_for_second_node
from menus.frame.ui import Ui
from valtrac.core.errors import BadInput

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App


def second_node(app: App, ui: Ui) -> bool:
    """Have it named; whether the settings changed."""

    def compare(url: str) -> None:
        second = app.open_second(url)
        try:
            if second.identity().genesis_hash != app.chain.identity().genesis_hash:
                raise BadInput("that node serves another chain than the first", fix="name one of the same network")
        finally:
            second.close()

    return ask_for_second_node(ui, "VALTRAC_SECOND_ENDPOINT", "Bittensor", compare)
