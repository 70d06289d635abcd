"""The embedded BitShares rehearsal node. Importing this costs nothing; what is named below is loaded when asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valtrac.devnet.bitshares.blocks import advance, fork, produce
    from valtrac.devnet.bitshares.client import Client, RawMemo, foreign, transfer
    from valtrac.devnet.bitshares.faults import clear, misbehave
    from valtrac.devnet.bitshares.keys import dev_public, dev_wif
    from valtrac.devnet.bitshares.local import LocalConnection
    from valtrac.devnet.bitshares.packing import NodeError
    from valtrac.devnet.bitshares.server import Server, serve
    from valtrac.devnet.bitshares.world import (
        Account,
        add_account,
        balances,
        dev_account,
        fees_burned,
        fund,
        funded,
        reauthorize,
        seed,
        status,
    )

__all__ = [
    "Account",
    "Client",
    "LocalConnection",
    "NodeError",
    "RawMemo",
    "Server",
    "add_account",
    "advance",
    "balances",
    "clear",
    "dev_account",
    "dev_public",
    "dev_wif",
    "fees_burned",
    "foreign",
    "fork",
    "fund",
    "funded",
    "misbehave",
    "produce",
    "reauthorize",
    "seed",
    "serve",
    "status",
    "transfer",
]
_PLACES = {
    "blocks": ("advance", "fork", "produce"),
    "client": ("Client", "RawMemo", "foreign", "transfer"),
    "faults": ("clear", "misbehave"),
    "keys": ("dev_public", "dev_wif"),
    "local": ("LocalConnection",),
    "packing": ("NodeError",),
    "server": ("Server", "serve"),
    "world": (
        *("Account", "add_account", "balances", "dev_account", "fees_burned"),
        *("fund", "funded", "reauthorize", "seed", "status"),
    ),
}
_HOMES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
