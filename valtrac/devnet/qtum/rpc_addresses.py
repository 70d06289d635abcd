"""Methods of the address index, and what can be said of an address."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.qtum import codec, ledger, state
from valtrac.devnet.qtum.rpc import Call, method, whole
from valtrac.devnet.qtum.rules import NodeError


def _hashes(call: Call) -> list[bytes]:
    """The keys that are asked for. NodeError -5 for an address that is none, or without the index."""
    given = call.args[0]
    listed = [given] if isinstance(given, str) else given.get("addresses")
    if not isinstance(listed, list):
        raise NodeError(-5, "Addresses is expected to be an array")
    hashes = []
    for text in listed:
        try:
            hashed = call.network.key_hash(text) if isinstance(text, str) else None
        except ValueError:
            raise NodeError(-5, "Invalid address") from None
        hashes.append(hashed or b"")  # other kinds of addresses own nothing here
    if not call.flags["addrindex"]:
        raise NodeError(-5, "No information available for address")
    return hashes


@method("getaddressutxos", argument="object|string")
def utxos(call: Call) -> Any:
    """The unspent coins of addresses by height, P2PK and P2PKH of a key together."""
    coins = [coin for owner in _hashes(call) for coin in ledger.coins_of(call.db, owner)]
    coins.sort(key=lambda coin: coin.height)
    listed = [
        {
            "address": call.network.address(coin.owner or b""),
            "txid": codec.shown(coin.id),
            "outputIndex": coin.n,
            "script": coin.script.hex(),
            "satoshis": coin.value,
            "height": coin.height,
            "isStake": coin.kind == state.STAKED,
        }
        for coin in coins
    ]
    if not isinstance(call.args[0], dict) or call.args[0].get("chainInfo") is not True:
        return listed
    tip = state.tip(call.db)
    return {"utxos": listed, "hash": codec.shown(tip.hash), "height": tip.height}


def _changes(call: Call, owner: bytes, start: int, end: int) -> list[tuple[int, int, bytes, int, int]]:
    """(height, position, transaction, index, satoshi) of all that a key got and gave, in the index' order."""
    last = end or 1 << 60
    rows = call.db.execute(
        "SELECT height, position, id, n, value FROM coins WHERE owner = ?1 AND height BETWEEN ?2 AND ?3"
        " UNION ALL SELECT s.height, s.first, s.id, s.n, s.value FROM spent s JOIN blocks b ON b.id = s.block"
        " AND b.active WHERE s.owner = ?1 AND s.height BETWEEN ?2 AND ?3"
        " UNION ALL SELECT b.height, s.position, t.id, s.place, -s.value FROM spent s JOIN blocks b ON b.id = s.block"
        " AND b.active JOIN transactions t ON t.block = s.block AND t.position = s.position"
        " WHERE s.owner = ?1 AND b.height BETWEEN ?2 AND ?3 ORDER BY 1, 2, 3, 4",
        (owner, start, last),
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


@method("getaddressdeltas", argument="object")
def deltas(call: Call) -> Any:
    """All that addresses got (+) and gave (-), with the height of each."""
    given = call.args[0]
    start, end = given.get("start"), given.get("end")
    bounded = _is_number(start) and _is_number(end)
    low, high = (whole(start), whole(end)) if bounded else (0, 0)
    if bounded and (low <= 0 or high <= 0):
        raise NodeError(-5, "Start and end is expected to be greater than zero")
    if high < low:
        raise NodeError(-5, "End value is expected to be greater than start")
    listed = [
        {
            "satoshis": satoshi,
            "txid": codec.shown(txid),
            "index": index,
            "blockindex": position,
            "height": height,
            "address": call.network.address(owner),
        }
        for owner in _hashes(call)
        for height, position, txid, index, satoshi in _changes(call, owner, low, high)
    ]
    if given.get("chainInfo") is not True or not bounded:
        return listed
    ends = [state.block_at(call.db, height) for height in (low, high)]
    if ends[0] is None or ends[1] is None:
        raise NodeError(-5, "Start or end is outside chain range")
    first, last = ({"hash": codec.shown(block.hash), "height": block.height} for block in ends if block is not None)
    return {"deltas": listed, "start": first, "end": last}


def _is_number(value: Any) -> bool:
    return value is not None and not isinstance(value, (bool, str, list, dict))


@method("getaddressbalance", argument="object|string")
def balance(call: Call) -> dict[str, int]:
    """What addresses hold, and ever got. immature: as the node counts it, the second transaction of young blocks."""
    height = state.tip(call.db).height
    rest = state.maturity(call.db, height)
    told = {"balance": 0, "received": 0, "immature": 0}
    for owner in _hashes(call):
        for change_height, position, _, _, satoshi in _changes(call, owner, 0, 0):
            told["balance"] += satoshi
            told["received"] += max(0, satoshi)
            told["immature"] += satoshi if position == 1 and height - change_height < rest else 0
    return told


@method("validateaddress", address="string")
def validate(call: Call) -> dict[str, Any]:
    """Whether a text is an address of this chain."""
    try:
        script = call.network.script(call.args[0])
    except ValueError as error:
        return {"isvalid": False, "error_locations": [], "error": str(error)}
    is_script = codec.output(script).key_hash is None
    told = {"isvalid": True, "address": call.args[0], "scriptPubKey": script.hex()}
    return {**told, "isscript": is_script, "iswitness": False}


@method("gethexaddress", address="string")
def hex_address(call: Call) -> str:
    """The hash behind an address."""
    try:
        hashed = call.network.key_hash(call.args[0])
    except ValueError:
        raise NodeError(-5, "Invalid Qtum address") from None
    if hashed is None:
        raise NodeError(-5, "Only pubkeyhash addresses are supported")
    return hashed.hex()
