"""The `.env` of the old bot: what each name becomes here. Pure.

A private key is never taken over: where one stands, it is named, and nothing of it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
HIDDEN = "********"
NEVER, FROM_NAN = "never redeems", "from no block at all"
# name -> (setting, or what becomes of it; kind)
NAMES: Mapping[str, tuple[str, str]] = {
    "INFURA_PROJECT_ID": ("VALTRAC_KEEPS_NODES: an RPC address of any provider, typed anew", "secret"),
    "INFURA_NETWORK": ("VALTRAC_KEEPS_NETWORK", "network"),
    "OPERATORS": ("VALTRAC_KEEPS_OPERATORS", "addresses"),
    "MINBLOCK": ("VALTRAC_KEEPS_START_BLOCK", "whole"),
    "COOLDOWN": ("nothing: a node that fails rests by itself, and the job goes on", "whole"),
    "ROPSTEN_ECDSA_CONTRACT_ADDRESS": ("VALTRAC_KEEPS_FACTORY", "address"),
    "ROPSTEN_TBTC_SYSTEM_CONTRACT_ADDRESS": ("VALTRAC_KEEPS_SYSTEM", "address"),
    "ROPSTEN_TBTC_TOKEN_CONTRACT_ADDRESS": ("VALTRAC_KEEPS_TOKEN", "address"),
    "HARDHAT_IMPERSONATE_WALLET": ("nothing: docs/how-to/keeps.md tells how to get TBTC on a fork", "address"),
    "HARDHAT_BLOCK": ("nothing: anvil --fork-block-number forks from it", "whole"),
    "HARDHAT_URL": ("nothing: anvil --fork-url forks a node, typed anew", "secret"),
    "HARDHAT_CHAIN_ID": ("nothing: the node's own chain id is always compared", "whole"),
    "ETH_WALLET_PUBLIC_KEY": ("VALTRAC_KEEPS_WALLET", "address"),
    "ETH_WALLET_PRIVATE_KEY": ("nothing here: make or import an encrypted wallet in the menu", "secret"),
    "BTC_NETWORK": ("VALTRAC_KEEPS_BITCOIN_NETWORK", "bitcoin"),
    "BTC_ELECTRUM_SERVER": ("VALTRAC_KEEPS_ELECTRUM", "part"),
    "BTC_ELECTRUM_PORT": ("VALTRAC_KEEPS_ELECTRUM", "part"),
    "BTC_ELECTRUM_PROTOCOL": ("VALTRAC_KEEPS_ELECTRUM", "part"),
    "BTC_WALLET_PUBLIC_KEY": ("VALTRAC_KEEPS_BITCOIN_ADDRESS", "text"),
    "TBTCJS_NETWORK_CHECK": ("nothing: networks are always compared", "text"),
    "COLLATERALISATION_THRESHOLD": ("VALTRAC_KEEPS_THRESHOLD", "whole"),
    "INFURA_API": ("nothing: the old bot never used it", "secret"),
}
UNSET = {"COLLATERALISATION_THRESHOLD": NEVER, "MINBLOCK": FROM_NAN}  # what the old bot did without them


@dataclass(frozen=True, slots=True)
class OldSetting:
    """name, line: as in the file, 0 where it is missing; written: what stands there, secrets hidden; becomes: the
    setting, or what becomes of it; value: its value here, "" where the owner has to say; ask: what he is asked, ""
    where nothing is open."""

    name: str
    line: int
    written: str
    becomes: str
    value: str
    ask: str


def read(text: str) -> list[OldSetting]:
    """Every name that the old bot knew, in the order of the file, with those that it cannot do without last; names that
    it did not know are left out."""
    written: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = None if line.lstrip().startswith("#") else _LINE.fullmatch(line)
        if match and match[1] in NAMES:
            written[match[1]] = (number, match[2].strip("\"'"))  # as dotenv: of a name that stands twice the last holds
    missing = [name for name in UNSET if not written.get(name, (0, ""))[1]]
    rows = [_setting(name, line, value, written) for name, (line, value) in written.items() if name not in missing]
    return rows + [
        OldSetting(name, written.get(name, (0, ""))[0], "", NAMES[name][0], "", f"not set: the old bot {UNSET[name]}")
        for name in missing
    ]


def _setting(name: str, line: int, value: str, written: Mapping[str, tuple[int, str]]) -> OldSetting:
    becomes, kind = NAMES[name]
    if kind == "secret":
        return OldSetting(name, line, HIDDEN if value else "", becomes, "", "")
    if name.startswith("ROPSTEN_") and _ours("network", written.get("INFURA_NETWORK", (0, ""))[1], {}) == "mainnet":
        return OldSetting(name, line, value, "nothing: the contracts of the main network are known", "", "")
    ours = _ours(kind, value, written)
    ask = "" if ours or not becomes.startswith("VALTRAC_") else f"{becomes} cannot be made of this: say it anew"
    return OldSetting(name, line, value, becomes, ours if becomes.startswith("VALTRAC_") else "", ask)


def _ours(kind: str, value: str, written: Mapping[str, tuple[int, str]]) -> str:
    if kind == "network":
        return "mainnet" if value in ("mainnet", "homestead") else "ropsten"  # anything else used the Ropsten addresses
    if kind == "bitcoin":
        return {"main": "main", "mainnet": "main", "test": "test", "testnet": "test"}.get(value, "")
    if kind == "addresses":
        listed = [each.strip() for each in value.split(",") if each.strip()]
        return ",".join(listed) if listed and all(_ADDRESS.fullmatch(each) for each in listed) else ""
    if kind == "address":
        return value if _ADDRESS.fullmatch(value) else ""
    if kind == "whole":
        return value if value.isascii() and value.isdigit() and len(value) < 16 else ""
    if kind == "part":
        server, port, protocol = (
            written.get(f"BTC_ELECTRUM_{part}", (0, ""))[1] for part in ("SERVER", "PORT", "PROTOCOL")
        )
        known = re.fullmatch(r"[A-Za-z0-9.\-]+", server) and re.fullmatch(r"[0-9]{1,5}", port)
        return f"{protocol}://{server}:{port}" if known and protocol in ("tcp", "ssl", "ws", "wss") else ""
    return value
