"""How the proxy falsifies what the Ethereum node answered: each lie well formed, and false. Pure.

The proxy asks for the truth first, with the request as `asked` leaves it, and `told` makes the answer of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Request = dict[str, Any]
_AT_BLOCK = {"eth_call": 1, "eth_getBalance": 1, "eth_getTransactionCount": 1, "eth_getCode": 1, "eth_getStorageAt": 2}
"""method -> which of its parameters names the block it is asked at."""
_BY_HASH = ("eth_getTransactionReceipt", "eth_getTransactionByHash")
_BLOCKS = ("eth_getBlockByNumber", "eth_getBlockByHash")


@dataclass(frozen=True, slots=True)
class Lies:
    """What is false from now on.

    behind: the newest blocks are not there yet, so many. hide_logs: a set of contracts whose logs are missing, or
    True. hide_receipts: hashes of transactions that no block has yet. other_status: hashes of transactions whose
    receipt tells the opposite. calls: (contract, selector) -> the answer to it, 0x and hex. chain_id: another one.
    other_block_hashes: the numbers of blocks that have another hash.
    """

    behind: int = 0
    hide_logs: bool | frozenset[str] = False
    hide_receipts: frozenset[str] = frozenset()
    other_status: frozenset[str] = frozenset()
    calls: Mapping[tuple[str, str], str] | None = None
    chain_id: int | None = None
    other_block_hashes: frozenset[int] = frozenset()


def asked(request: Request, lies: Lies, head: int) -> Request:
    """The request that is passed on. head: the number of the newest block in truth, where it matters (behind)."""
    if not lies.behind:
        return request
    method, params = request.get("method", ""), list(request.get("params") or [])
    seen = hex(max(0, head - lies.behind))
    if method in ("eth_getBlockByNumber", *_AT_BLOCK):
        at = _AT_BLOCK.get(method, 0)
        params = params + ["latest"] * (at + 1 - len(params))
        params[at] = _not_after(params[at], seen)
    elif method == "eth_getLogs" and params:
        window = {"fromBlock": "latest", "toBlock": "latest", **params[0]}
        if "blockHash" not in params[0]:
            params[0] = window | {"toBlock": _not_after(window["toBlock"], seen)}
            params[0]["fromBlock"] = _not_after(window["fromBlock"], seen)
    return {**request, "params": params}


def _not_after(block: Any, seen: str) -> Any:
    if block in ("latest", "pending", "safe", "finalized"):
        return seen
    # a block by number that is not there yet stays unknown: such a number is asked for one beyond the real head
    if isinstance(block, str) and block.startswith("0x") and int(block, 16) > int(seen, 16):
        return hex(2**60)
    return block


def told(request: Request, answer: dict[str, Any], lies: Lies, head: int) -> dict[str, Any]:
    """The answer that is given."""
    method, params = request.get("method", ""), request.get("params") or []
    if method == "eth_getLogs" and lies.behind and "error" in answer:
        return {**_rest(answer), "result": []}  # the window lies wholly beyond what it knows
    if "result" not in answer:
        return answer
    return {
        **answer,
        "result": _false(method, params, answer["result"], lies, head - lies.behind if lies.behind else None),
    }


def _rest(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "error"}


def _false(method: str, params: list[Any], result: Any, lies: Lies, seen: int | None) -> Any:
    if method == "eth_blockNumber" and seen is not None:
        return hex(seen)
    if method in ("eth_chainId", "net_version") and lies.chain_id is not None:
        return hex(lies.chain_id) if method == "eth_chainId" else str(lies.chain_id)
    if method == "eth_getLogs" and result:
        return [_of_block(log, lies) for log in result if not _hidden_log(log, lies)]
    if method in _BY_HASH and result:
        return _false_receipt(method, result, lies, seen)
    if method in _BLOCKS and result:
        return _with_other_hash(result) if int(result["number"], 16) in lies.other_block_hashes else result
    if method == "eth_call" and lies.calls:
        return _false_call(params, result, lies.calls)
    return result


def _hidden_log(log: dict[str, Any], lies: Lies) -> bool:
    if isinstance(lies.hide_logs, bool):
        return lies.hide_logs
    return str(log["address"]).lower() in {one.lower() for one in lies.hide_logs}


def _false_receipt(method: str, found: dict[str, Any], lies: Lies, seen: int | None) -> Any:
    receipt = method == "eth_getTransactionReceipt"
    named = str(found["transactionHash" if receipt else "hash"]).lower()
    number = found.get("blockNumber")
    too_new = seen is not None and number is not None and int(number, 16) > seen
    if named in lies.hide_receipts or too_new:
        # a transaction that no block has is still known
        return None if receipt else {**found, "blockNumber": None, "blockHash": None, "transactionIndex": None}
    found = _of_block(found, lies)
    if receipt and named in lies.other_status:
        return {**found, "status": "0x0" if found["status"] == "0x1" else "0x1"}
    return found


def _of_block(found: dict[str, Any], lies: Lies) -> dict[str, Any]:
    """A log or receipt with the hash that its block is said to have."""
    number = found.get("blockNumber")
    if number is None or int(number, 16) not in lies.other_block_hashes:
        return found
    return {**found, "blockHash": _turned(found["blockHash"])}


def _with_other_hash(block: dict[str, Any]) -> dict[str, Any]:
    return {**block, "hash": _turned(block["hash"])}


def _turned(written: str) -> str:
    return written[:-2] + f"{int(written[-2:], 16) ^ 0xFF:02x}"


def _false_call(params: list[Any], result: Any, calls: Mapping[tuple[str, str], str]) -> Any:
    call = params[0] if params else {}
    to, data = str(call.get("to", "")).lower(), str(call.get("data") or call.get("input") or "")[:10]
    wrong = {(where.lower(), selector): answer for (where, selector), answer in calls.items()}
    return wrong.get((to, data), result)


def readable(body: bytes) -> list[Request]:
    """The requests of a body, one or many. Raises ValueError for what is none."""
    parsed = json.loads(body)
    requests = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(one, dict) for one in requests):
        raise ValueError("no JSON-RPC")
    return requests
