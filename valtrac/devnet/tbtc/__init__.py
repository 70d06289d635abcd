"""The rehearsal chain of tBTC v1: the real contracts on a local Ethereum node, beside a small Bitcoin chain.

Importing this costs nothing; what is named below is loaded when asked for. `World.start(folder)` is the whole of it;
`deposits` and `market` are modules whose functions take its `chains`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valtrac.devnet.tbtc.anvil import Anvil, Options, found
    from valtrac.devnet.tbtc.bitcoin import Bitcoin
    from valtrac.devnet.tbtc.chains import Chains
    from valtrac.devnet.tbtc.deposits import LocalDeposit
    from valtrac.devnet.tbtc.electrum_server import ElectrumServer
    from valtrac.devnet.tbtc.evm import Contract, Reverted, Tx, send, send_all
    from valtrac.devnet.tbtc.node import Node, NodeSaid
    from valtrac.devnet.tbtc.proxy import Proxy
    from valtrac.devnet.tbtc.signers import Signers
    from valtrac.devnet.tbtc.system import System
    from valtrac.devnet.tbtc.world import World, where

__all__ = [
    "Anvil",
    "Bitcoin",
    "Chains",
    "Contract",
    "ElectrumServer",
    "LocalDeposit",
    "Node",
    "NodeSaid",
    "Options",
    "Proxy",
    "Reverted",
    "Signers",
    "System",
    "Tx",
    "World",
    "found",
    "send",
    "send_all",
    "where",
]
_PLACES = {
    "anvil": ("Anvil", "Options", "found"),
    "bitcoin": ("Bitcoin",),
    "chains": ("Chains",),
    "deposits": ("LocalDeposit",),
    "electrum_server": ("ElectrumServer",),
    "evm": ("Contract", "Reverted", "Tx", "send", "send_all"),
    "node": ("Node", "NodeSaid"),
    "proxy": ("Proxy",),
    "signers": ("Signers",),
    "system": ("System",),
    "world": ("World", "where"),
}
_HOMES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
