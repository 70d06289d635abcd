"""One question to the node, as the methods see it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from valtrac.devnet.qtum import state
from valtrac.devnet.qtum.rules import Network, NodeError

_NONE = (
    "No wallet is loaded. Load a wallet using loadwallet or create a new one with createwallet."
    " (Note: A default wallet is no longer automatically created)"
)


@dataclass(slots=True)
class Call:
    """One question. directory: of the chain; node: of the node that is asked, another one where it is a second node of
    that chain; wallet_name: the name in the path, None without one; hits: the faults that strike it."""

    db: sqlite3.Connection
    directory: Path
    args: list[Any]
    wallet_name: str | None = None
    hits: Mapping[str, Any] = field(default_factory=dict)
    node: Path | None = None

    @property
    def network(self) -> Network:
        """The chain's constants."""
        return state.network(self.db)

    @property
    def flags(self) -> dict[str, Any]:
        """What the node was started with, as far as faults let it say so."""
        flags = state.flags(self.db)
        for name in ("addrindex", "txindex", "logevents"):
            flags[name] = flags[name] and f"no_{name}" not in self.hits
        return flags

    @property
    def now(self) -> int:
        """The node's time."""
        return state.now(self.db)

    def wallet(self) -> str:
        """The wallet that is meant. NodeError -18 or -19 where there is none, or several are loaded."""
        if self.node not in (None, self.directory):
            raise NodeError(-18, _NONE)
        loaded = [name for (name,) in self.db.execute("SELECT name FROM wallets WHERE loaded ORDER BY name")]
        if self.wallet_name is not None:
            if self.wallet_name not in loaded:
                raise NodeError(-18, "Requested wallet does not exist or is not loaded")
            return self.wallet_name
        if not loaded:
            raise NodeError(-18, _NONE)
        if len(loaded) > 1:
            said = "Wallet file not specified (must request wallet RPC through /wallet/<filename> uri-path)."
            raise NodeError(-19, said)
        return str(loaded[0])
