"""The embedded Qtum rehearsal node. Importing this costs nothing; what is named below is loaded when asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valtrac.devnet.qtum.control import (
        ANY,
        MINED,
        addresses,
        audit,
        balances,
        configure,
        delegate,
        double_spend,
        fund,
        pay,
        produce,
        reorganise,
        set_clock,
        set_connections,
        set_staking,
        status,
        undelegate,
    )
    from valtrac.devnet.qtum.faults import FAULTS, clear, misbehave
    from valtrac.devnet.qtum.process import running, start, stop
    from valtrac.devnet.qtum.rules import NodeError
    from valtrac.devnet.qtum.server import Server
    from valtrac.devnet.qtum.world import PASSPHRASE, Person, add_person, dev_address, second, seed

__all__ = [
    "ANY",
    "FAULTS",
    "MINED",
    "PASSPHRASE",
    "NodeError",
    "Person",
    "Server",
    "add_person",
    "addresses",
    "audit",
    "balances",
    "clear",
    "configure",
    "delegate",
    "dev_address",
    "double_spend",
    "fund",
    "misbehave",
    "pay",
    "produce",
    "reorganise",
    "running",
    "second",
    "seed",
    "set_clock",
    "set_connections",
    "set_staking",
    "start",
    "status",
    "stop",
    "undelegate",
]
_PLACES = {
    "control": (
        *("ANY", "MINED", "addresses", "audit", "balances", "configure", "delegate", "double_spend", "fund", "pay"),
        *("produce", "reorganise", "set_clock", "set_connections", "set_staking", "status", "undelegate"),
    ),
    "faults": ("FAULTS", "clear", "misbehave"),
    "process": ("running", "start", "stop"),
    "rules": ("NodeError",),
    "server": ("Server",),
    "world": ("PASSPHRASE", "Person", "add_person", "dev_address", "second", "seed"),
}
_HOMES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
