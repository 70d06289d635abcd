"""What the chain answers to reads at any of its blocks, in the shapes of the real runtime."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from valtrac.devnet.bittensor import authorities, faults, headers, stakes, state, swaps
from valtrac.devnet.bittensor.codec import codec
from valtrac.devnet.bittensor.state import BlockRow

Read = Callable[[sqlite3.Connection, list[Any], BlockRow], Any]
_FREE_FLAGS = 2**127


def storage(db: sqlite3.Connection, module: str, item: str, params: list[Any], block: BlockRow) -> Any:
    """One storage item; what this chain does not keep has the runtime's default. ValueError: no such item."""
    entry = codec().storage_entry(module, item)
    if len(params) != len(entry.param_types):
        raise ValueError(f"Storage function requires {len(entry.param_types)} parameters, {len(params)} given")
    value = _STORAGE[module, item](db, params, block) if (module, item) in _STORAGE else None
    return codec().decode(entry.decode_type(False), entry.default_bytes) if value is None else value


def storage_map(
    db: sqlite3.Connection, module: str, item: str, params: list[Any], block: BlockRow
) -> list[tuple[Any, Any]]:
    """A storage map under a prefix, as (key, value) pairs."""
    codec().storage_entry(module, item)
    pairs: list[tuple[Any, Any]] = _MAPS[module, item](db, params, block) if (module, item) in _MAPS else []
    return pairs


def storage_keys(
    db: sqlite3.Connection, prefix: bytes, count: int, after: bytes | None, block: BlockRow
) -> list[bytes]:
    """The next `count` keys under a prefix, in order, of the maps that this chain keeps."""
    keys: list[bytes] = []
    for module, item in _MAPS:
        entry = codec().storage_entry(module, item)
        if prefix.startswith(codec().storage_key(entry, [])):
            params = [list(key) if isinstance(key, tuple) else [key] for key, _ in _MAPS[module, item](db, [], block)]
            keys += codec().storage_key_batch(entry, params)
    return sorted(key for key in keys if key.startswith(prefix) and key > (after or b""))[:count]


def runtime(db: sqlite3.Connection, api: str, method: str, params: list[Any], block: BlockRow) -> Any:
    """A runtime call. ValueError in the SDK's words where this chain does not offer it."""
    if (api, method) not in _CALLS:
        raise ValueError(f"Runtime API Call '{api}.{method}' not found in registry")
    with state.reading(db):
        return _CALLS[api, method](db, params, block)


def body(db: sqlite3.Connection, block: BlockRow) -> list[bytes]:
    """The extrinsics of a block; the first sets its time. The first block of the chain has none."""
    rows = db.execute("SELECT raw FROM extrinsics WHERE block = ? ORDER BY position", (block.number,))
    return [headers.timestamp_extrinsic(block.at_ms), *(bytes(raw) for (raw,) in rows)] if block.number else []


def events(db: sqlite3.Connection, block: BlockRow) -> list[dict[str, Any]]:
    """System.Events of a block; empty where they are made to be missing."""
    return [] if faults.events_missing(db, block.number) else headers.records(db, block.number)


def next_index(db: sqlite3.Connection, address: str) -> int:
    """The next nonce of an account, counting what waits in the pool without a gap."""
    with state.reading(db):
        _, nonce = state.account(db, address, state.head(db).number)
        waiting = [json.loads(text) for (text,) in db.execute("SELECT known FROM pool")]
    pooled = {known["nonce"] for known in waiting if known["signer"] == address}
    while nonce in pooled:
        nonce += 1
    return nonce


def _account(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    free, nonce = state.account(db, params[0], block.number)
    if not free and not nonce:
        return None
    return {
        "nonce": nonce,
        "consumers": 0,
        "providers": 1 if free else 0,
        "sufficients": 0,
        "data": {"free": free, "reserved": 0, "frozen": 0, "flags": _FREE_FLAGS},
    }


def _owner(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    row = db.execute("SELECT owner FROM hotkeys WHERE hotkey = ?", (params[0],)).fetchone()
    return None if row is None else row[0]


def _take(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    row = db.execute("SELECT take_raw FROM hotkeys WHERE hotkey = ?", (params[0],)).fetchone()
    return None if row is None else row[0]


def _total(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    return stakes.total(db, params[0], params[1], block.number)


def _totals(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    if not params:
        return [
            ((pool.hotkey, pool.netuid), stakes.total(db, pool.hotkey, pool.netuid, block.number))
            for pool in stakes.pools(db)
        ]
    return [
        (pool.netuid, stakes.total(db, pool.hotkey, pool.netuid, block.number)) for pool in stakes.pools(db, params[0])
    ]


def _networks(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    return [(netuid, True) for (netuid,) in db.execute("SELECT DISTINCT netuid FROM dividends ORDER BY netuid")]


def _delegate(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    """DelegateInfo with everyone's stakes, sorted by public key; None for an unknown hotkey."""
    owner = _owner(db, params, block)
    if owner is None:
        return None
    pools = stakes.pools(db, params[0])
    held: dict[tuple[bytes, str], list[tuple[int, int]]] = {}
    for pool in pools:
        for key, address, units in stakes.by_key(db, pool.hotkey, pool.netuid, block.number):
            held.setdefault((key, address), []).append((pool.netuid, units))
    netuids = [pool.netuid for pool in pools]
    return {
        "delegate_ss58": params[0],
        "take": _take(db, params, block),
        "nominators": [(address, held[key, address]) for key, address in sorted(held)],
        "owner_ss58": owner,
        "registrations": netuids,
        "validator_permits": netuids,
        "return_per_1000": 0,
        "total_daily_return": 0,
    }


def _delegates(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    return [_delegate(db, [hotkey], block) for (hotkey,) in db.execute("SELECT hotkey FROM hotkeys ORDER BY hotkey")]


def _price(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    return stakes.price(db, params[0], block.number) or 0


def _nonce(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    return state.account(db, params[0], block.number)[1]


def _finality(name: str) -> Read:
    """What the pallet Grandpa holds under a name, decoded by the runtime's own types."""

    def read(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
        entry = codec().storage_entry("Grandpa", name)
        held = dict(authorities.pairs(state.settings(db), authorities.planned(db), block.number))
        raw = held.get(codec().storage_key(entry, []))
        return None if raw is None else codec().decode(entry.value_type, raw)

    return read


def _swap(db: sqlite3.Connection, params: list[Any], block: BlockRow) -> Any:
    return dict(_swaps(db, [], block)).get(params[0])


def _swaps(db: sqlite3.Connection, params: list[Any], at: BlockRow) -> Any:
    """coldkey -> (the block from which the swap may be carried out, the hash of the new coldkey)."""
    delay = storage(db, "SubtensorModule", "ColdkeySwapAnnouncementDelay", [], at)
    return [
        (address, (block + delay, "0x" + blake2b(f"after {address}".encode(), digest_size=32).hexdigest()))
        for address, block in swaps.announced(db, at.number).items()
    ]


_STORAGE: dict[tuple[str, str], Read] = {
    ("System", "Account"): _account,
    ("System", "Number"): lambda db, params, block: block.number,
    ("System", "Events"): lambda db, params, block: events(db, block),
    ("Timestamp", "Now"): lambda db, params, block: block.at_ms,
    ("Grandpa", "Authorities"): _finality("Authorities"),
    ("Grandpa", "CurrentSetId"): _finality("CurrentSetId"),
    ("Grandpa", "PendingChange"): _finality("PendingChange"),
    ("SubtensorModule", "TotalHotkeyAlpha"): _total,
    ("SubtensorModule", "Owner"): _owner,
    ("SubtensorModule", "Delegates"): _take,
    ("SubtensorModule", "ColdkeySwapAnnouncements"): _swap,
}
_MAPS: dict[tuple[str, str], Read] = {
    ("SubtensorModule", "TotalHotkeyAlpha"): _totals,
    ("SubtensorModule", "NetworksAdded"): _networks,
    ("SubtensorModule", "ColdkeySwapAnnouncements"): _swaps,
}
_CALLS: dict[tuple[str, str], Read] = {
    ("DelegateInfoRuntimeApi", "get_delegate"): _delegate,
    ("DelegateInfoRuntimeApi", "get_delegates"): _delegates,
    ("SwapRuntimeApi", "current_alpha_price"): _price,
    ("AccountNonceApi", "account_nonce"): _nonce,
}
