"""What a node that lies makes of a true answer: well formed, and false. Each is named and told in `faults.FAULTS`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from valtrac.devnet.qtum import codec, keys, state, transactions, wallet
from valtrac.devnet.qtum.call import Call
from valtrac.devnet.qtum.rules import COIN, NodeError
from valtrac.devnet.qtum.shapes import Money

_NOBODY = keys.dev_key("somebody whom no one knows")


def told(call: Call, name: str, result: Any) -> Any:
    """The answer as the faults that strike it leave it."""
    for fault in call.hits:
        lie = _LIES.get(fault)
        if lie is not None and name in lie[0]:
            result = lie[1](call, result)
    return result


def _other(text: str) -> str:
    """Another hash, always the same for the same one."""
    return hashlib.sha256(text.encode()).hexdigest()


def _hide_transaction(_: Call, result: Any) -> Any:
    return {**result, "tx": result["tx"][:-1]} if isinstance(result, dict) else result


def _invent_transaction(_: Call, result: Any) -> Any:
    if not isinstance(result, dict):
        return result
    last = result["tx"][-1]
    made = _other(last) if isinstance(last, str) else {**last, "txid": _other(last["txid"])}
    return {**result, "tx": [*result["tx"], made]}


def _other_body(_: Call, result: Any) -> Any:
    """A coinstake that pays the staker one QTUM more; its id stays the true one's."""
    if not isinstance(result, dict) or len(result["tx"]) < 2 or isinstance(result["tx"][1], str):
        return result
    stake = result["tx"][1]
    outs = [dict(out) for out in stake["vout"]]
    outs[min(1, len(outs) - 1)]["value"] = Money(outs[min(1, len(outs) - 1)]["value"].satoshi + COIN)
    return {**result, "tx": [result["tx"][0], {**stake, "vout": outs}, *result["tx"][2:]]}


def _other_header(_: Call, result: Any) -> Any:
    if isinstance(result, str):
        return result[:8] + _other(result[8:72]) + result[72:]
    return {
        **result,
        "merkleroot": _other(result["merkleroot"]),
        "previousblockhash": _other(result["previousblockhash"]),
    }


def _unsigned_header(call: Call, result: Any) -> Any:
    if isinstance(result, str) or "signature" not in result:
        return result
    return {**result, "signature": keys.sign_compact(codec.sha256d(b"another"), _NOBODY.secret).hex()}


def _hide_coin(_: Call, result: Any) -> Any:
    coins = result["utxos"] if isinstance(result, dict) else result
    if not coins:
        return result
    largest = max(coins, key=lambda coin: coin["satoshis"])
    left = [coin for coin in coins if coin is not largest]
    return {**result, "utxos": left} if isinstance(result, dict) else left


def _invent_coin(call: Call, result: Any) -> Any:
    given = call.args[0]
    asked = given if isinstance(given, str) else (given.get("addresses") or [""])[0]
    coin = {
        "address": asked,
        "txid": _other(asked),
        "outputIndex": 0,
        "script": call.network.script(asked).hex(),
        "satoshis": 1_000_000 * COIN,
        "height": state.setting(call.db, "first"),
        "isStake": False,
    }
    if isinstance(result, dict):
        return {**result, "utxos": [coin, *result["utxos"]]}
    return [coin, *result]


def _hide_delta(_: Call, result: Any) -> Any:
    if isinstance(result, dict):
        return {**result, "deltas": result["deltas"][:-1]}
    return result[:-1]


def _hide_delegation(_: Call, result: Any) -> Any:
    return result[:-1]


def _invent_delegation(call: Call, result: Any) -> Any:
    if not result:
        return result
    shown = dict(result[-1])
    if "delegate" in shown:
        shown["delegate"] = call.network.address(_NOBODY.hash)
        return [*result, shown]
    shown["from"] = _NOBODY.hash.hex()
    shown["transactionHash"] = _other(shown["transactionHash"])
    shown["log"] = [{**log, "topics": [*log["topics"][:2], _NOBODY.hash.hex().rjust(64, "0")]} for log in shown["log"]]
    return [*result, shown]


def _claim_confirmed(call: Call, result: Any) -> Any:
    tip = state.tip(call.db)
    left = {name: value for name, value in result.items() if name != "trusted"}
    place = {"blockhash": codec.shown(tip.hash), "blockheight": tip.height, "blockindex": 2, "blocktime": tip.at}
    return {**left, "confirmations": 2001, **place}


def _claim_unknown(_: Call, __: Any) -> Any:
    raise NodeError(-5, "Invalid or non-wallet transaction id")


def _claim_conflicted(_: Call, result: Any) -> Any:
    left = {name: value for name, value in result.items() if not name.startswith("block")}
    return {**left, "confirmations": -5, "trusted": False, "walletconflicts": [_other(result["txid"])]}


def _claim_sent(call: Call, _: Any) -> Any:
    try:
        return codec.shown(transactions.txid(bytes.fromhex(str(call.args[0]))))
    except ValueError:
        raise NodeError(-22, "TX decode failed. Make sure the tx has at least one input.") from None


def _wrong_txid(_: Call, result: Any) -> Any:
    return _other(result)


def _swap_payee(call: Call, result: Any) -> Any:
    tx = transactions.unpacked(bytes.fromhex(result["hex"]))
    first = replace(tx.outs[0], script=codec.p2pkh(_NOBODY.hash))
    changed = replace(tx, outs=(first, *tx.outs[1:]))
    if "complete" in result:
        bare = replace(changed, ins=tuple(replace(tx_input, script=b"") for tx_input in changed.ins))
        changed, _ = wallet.signed(call.db, call.wallet(), bare)
    return {**result, "hex": transactions.packed(changed).hex()}


def _high_fee(_: Call, result: Any) -> Any:
    tx, place = transactions.unpacked(bytes.fromhex(result["hex"])), result["changepos"]
    if place < 0 or tx.outs[place].value <= COIN:
        return result
    outs = list(tx.outs)
    outs[place] = replace(outs[place], value=outs[place].value - COIN * 9 // 10)
    return {**result, "hex": transactions.packed(replace(tx, outs=tuple(outs))).hex()}


def _false_decode(_: Call, result: Any) -> Any:
    outs = [dict(out) for out in result["vout"]]
    outs[0]["value"] = Money(outs[0]["value"].satoshi // 2)
    return {**result, "txid": _other(result["txid"]), "vout": outs}


def _syncing(_: Call, result: Any) -> Any:
    return {**result, "initialblockdownload": True, "headers": result["headers"] + 5000, "verificationprogress": 0.9}


def _ahead(call: Call, result: Any) -> Any:
    more = int(call.hits["ahead_tip"])
    if isinstance(result, int):
        return result + more
    return {**result, "blocks": result["blocks"] + more, "headers": result["headers"] + more}


def _wrong_chain(call: Call, result: Any) -> Any:
    if isinstance(result, dict):
        return {**result, "chain": "main" if result["chain"] != "main" else "test"}
    return _other(result) if int(call.args[0]) in (0, state.setting(call.db, "first")) else result


_Lie = tuple[tuple[str, ...], Callable[[Call, Any], Any]]
_LIES: dict[str, _Lie] = {
    "hide_transaction": (("getblock",), _hide_transaction),
    "invent_transaction": (("getblock",), _invent_transaction),
    "other_body": (("getblock",), _other_body),
    "other_header": (("getblock", "getblockheader"), _other_header),
    "unsigned_header": (("getblock", "getblockheader"), _unsigned_header),
    "hide_coin": (("getaddressutxos",), _hide_coin),
    "invent_coin": (("getaddressutxos",), _invent_coin),
    "hide_delta": (("getaddressdeltas",), _hide_delta),
    "hide_delegation": (("getdelegationsforstaker", "searchlogs"), _hide_delegation),
    "invent_delegation": (("getdelegationsforstaker", "searchlogs"), _invent_delegation),
    "claim_confirmed": (("gettransaction",), _claim_confirmed),
    "claim_unknown": (("gettransaction", "getrawtransaction"), _claim_unknown),
    "claim_conflicted": (("gettransaction",), _claim_conflicted),
    "claim_sent": (("sendrawtransaction",), _claim_sent),
    "wrong_txid": (("sendrawtransaction",), _wrong_txid),
    "swap_payee": (("fundrawtransaction", "signrawtransactionwithwallet"), _swap_payee),
    "high_fee": (("fundrawtransaction",), _high_fee),
    "false_decode": (("decoderawtransaction",), _false_decode),
    "syncing": (("getblockchaininfo",), _syncing),
    "ahead_tip": (("getblockcount", "getblockchaininfo"), _ahead),
    "wrong_chain": (("getblockchaininfo", "getblockhash"), _wrong_chain),
}
