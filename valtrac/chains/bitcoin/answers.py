"""The shapes that the answers of Electrum servers can have. Pure. Each raises Untrusted for any other."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from typing import Any

from valtrac.chains.untrusted import Untrusted, whole
from valtrac.core.bitcoin import BitcoinEntry
from valtrac.core.text import plain

_HEX = re.compile(r"(?:[0-9a-f]{2})+")
_TX_ID = re.compile(r"[0-9a-f]{64}")
HIGHEST = 100_000_000
MOST_ENTRIES = 200_000
COIN = 100_000_000
# what servers and the nodes behind them say of a transaction that they have had before: Bitcoin Core's
# `validation.cpp` and `rpc/util.cpp`
_ALREADY = (
    "already in block chain",
    "already in utxo set",
    "already in mempool",
    "already known",
    "txn-already-in-mempool",
    "txn-already-known",
    "txn-same-nonwitness-data-in-mempool",
)
_UNKNOWN = ("no such mempool", "no such transaction", "missing transaction", "not found", "unknown transaction")
# bad request and the daemon's error, as ElectrumX, Fulcrum and electrs number them; Bitcoin Core's own
_REFUSALS = frozenset({1, 2, -22, -25, -26, -27})


def octets(value: Any, what: str) -> bytes:
    """Bytes in small hex digits, at least one."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise Untrusted(f"{what} is {plain(repr(value)[:60], 60)}")
    return bytes.fromhex(value)


def tx_id(value: Any) -> str:
    """The id of a transaction."""
    if not isinstance(value, str) or not _TX_ID.fullmatch(value):
        raise Untrusted(f"an id is {plain(repr(value)[:60], 60)}")
    return value


def entries(value: Any) -> tuple[BitcoinEntry, ...]:
    """A history: no transaction twice."""
    if not isinstance(value, list) or len(value) > MOST_ENTRIES:
        raise Untrusted("a history that is no list, or has no end")
    found = dict[str, BitcoinEntry]()
    for one in value:
        if not isinstance(one, dict):
            raise Untrusted("a history with something that is no transaction")
        height = one.get("height")
        found_id = tx_id(one.get("tx_hash"))
        # 0 and -1 are both unmined: -1 where it spends from another that is unmined, too
        found[found_id] = BitcoinEntry(found_id, 0 if height == -1 else whole(height, "a height", HIGHEST))
    return tuple(found.values())


def merkle(value: Any, height: int) -> tuple[list[str], int]:
    """(the branch, the index) of a transaction in the block that was asked for."""
    if not isinstance(value, dict) or not isinstance(value.get("merkle"), list) or len(value["merkle"]) > 64:
        raise Untrusted("a merkle branch that is none")
    if value.get("block_height") != height:
        raise Untrusted("a merkle branch of another block")
    return [tx_id(one) for one in value["merkle"]], whole(value.get("pos"), "an index", 1 << 32)


def headers(value: Any, count: int) -> bytes:
    """Exactly so many headers, 80 bytes each."""
    raw = octets(value.get("hex"), "headers") if isinstance(value, dict) else b""
    if len(raw) != 80 * count:
        raise Untrusted(f"{len(raw)} bytes in the place of {count} headers")
    return raw


def tip(value: Any) -> tuple[int, bytes]:
    """(height, header) of the newest block."""
    if not isinstance(value, dict):
        raise Untrusted("a newest block that is none")
    return whole(value.get("height"), "the height", HIGHEST), octets(value.get("hex"), "a header")


def fee_rate(value: Any) -> int | None:
    """satoshi for 1,000 virtual bytes, out of bitcoin; None for -1, which stands for no idea."""
    if type(value) not in (int, Decimal):
        raise Untrusted(f"a fee is {plain(repr(value)[:60], 60)}")
    rate = Decimal(value)
    if rate == -1:
        return None
    if not 0 <= rate <= 1:  # a bitcoin for a thousand bytes: nobody ever paid that
        raise Untrusted(f"a fee of {plain(str(value)[:60], 60)} bitcoin")
    return int((rate * COIN).to_integral_value(ROUND_CEILING))


def is_known_already(words: str) -> bool:
    """Whether a server that says no has the transaction, by its own words."""
    return any(sign in words.lower() for sign in _ALREADY)


def is_unknown(words: str) -> bool:
    """Whether a server says that it does not know a transaction."""
    return any(sign in words.lower() for sign in _UNKNOWN)


def is_refusal(code: int) -> bool:
    """Whether a number stands for a no to the transaction, and not for trouble of the server's own."""
    return code in _REFUSALS
