"""Methods about the node itself: its peers, its options, its indexes, its fees."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.qtum import state
from valtrac.devnet.qtum.rpc import Call, method, whole
from valtrac.devnet.qtum.rules import COIN, RELAY_FEE, NodeError, formatted
from valtrac.devnet.qtum.shapes import Money


@method("getconnectioncount")
def connection_count(call: Call) -> int:
    """How many peers there are."""
    return int(state.setting(call.db, "connections"))


@method("getnetworkinfo")
def network_info(call: Call) -> dict[str, Any]:
    """The node itself and its peers."""
    peers = int(state.setting(call.db, "connections"))
    return {
        "version": 270100,
        "subversion": "/Qtum:27.1.0/",
        "protocolversion": 70018,
        "localservices": "0000000000000c09",
        "localservicesnames": ["NETWORK", "WITNESS", "NETWORK_LIMITED", "P2P_V2"],
        "localrelay": True,
        "timeoffset": 0,
        "networkactive": True,
        "connections": peers,
        "connections_in": max(0, peers - 10),
        "connections_out": min(10, peers),
        "networks": [],
        "relayfee": Money(RELAY_FEE),
        "incrementalfee": Money(10_000),
        "localaddresses": [],
        "warnings": "",
    }


@method("estimatesmartfee", conf_target="number", estimate_mode="string?")
def estimate(call: Call) -> dict[str, Any]:
    """A fee that suffices; a quiet chain has no estimate, as in the real node."""
    if not 1 <= whole(call.args[0]) <= 1008:
        raise NodeError(-8, "Invalid conf_target, must be between 1 and 1008")
    if (call.args[1] or "conservative").lower() not in ("unset", "economical", "conservative"):
        raise NodeError(-8, 'Invalid estimate_mode parameter, must be one of: "unset", "economical", "conservative"')
    if not state.setting(call.db, "estimates", False):
        return {"errors": ["Insufficient data or no feerate found"], "blocks": whole(call.args[0])}
    return {"feerate": Money(RELAY_FEE), "blocks": max(2, whole(call.args[0]))}


@method("uptime")
def uptime(call: Call) -> int:
    """Seconds since the node was started, by its clock."""
    return max(0, call.now - int(state.setting(call.db, "started", call.now)))


@method("getindexinfo", index_name="string?")
def index_info(call: Call) -> dict[str, Any]:
    """The indexes that are kept apart from the blocks: of the transactions, and no other."""
    if not call.flags["txindex"] or call.args[0] not in (None, "", "txindex"):
        return {}
    return {"txindex": {"synced": True, "best_block_height": state.tip(call.db).height}}


@method("listconf")
def list_conf(call: Call) -> dict[str, Any]:
    """What the node was started with, as text; what is left as it is by itself is not listed."""
    flags = call.flags
    shown = {name: "1" for name in ("superstaking", "txindex") if flags[name]}
    if not flags["superstaking"]:
        shown |= {name: "1" for name in ("addrindex", "logevents") if flags[name]}
    if not flags["staking"]:
        shown["staking"] = "0"
    if flags["stakingminutxovalue"] != 100 * COIN:
        shown["stakingminutxovalue"] = formatted(flags["stakingminutxovalue"])
    if flags["stakingminfee"] != 10:
        shown["stakingminfee"] = str(flags["stakingminfee"])
    if flags["reservebalance"]:
        shown["reservebalance"] = formatted(flags["reservebalance"])
    if flags["rpcuser"]:
        shown |= {"rpcuser": "****", "rpcpassword": "****"}
    return shown


@method("getmempoolinfo")
def pool_info(call: Call) -> dict[str, Any]:
    """How much waits."""
    count, length = call.db.execute("SELECT COUNT(*), COALESCE(SUM(LENGTH(raw)), 0) FROM pool").fetchone()
    total = call.db.execute("SELECT COALESCE(SUM(fee), 0) FROM pool").fetchone()[0]
    return {
        "loaded": True,
        "size": count,
        "bytes": length,
        "usage": 3 * length,
        "total_fee": Money(total),
        "maxmempool": 300_000_000,
        "mempoolminfee": Money(RELAY_FEE),
        "minrelaytxfee": Money(RELAY_FEE),
        "incrementalrelayfee": Money(10_000),
        "unbroadcastcount": 0,
        "fullrbf": False,
    }
