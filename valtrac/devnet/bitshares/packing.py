"""Transactions as bytes, written independently of the client's library: if the two differ, no signature fits.

Known are transfers (operation 0), `custom` (35), which moves nothing and stands for everything else that other people
do in their blocks, and `witness_update` (21), by which a witness changes its key.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from valtrac.devnet.bitshares import keys, state

CORE = "1.3.0"
TRANSFER, WITNESS_UPDATE, CUSTOM = 0, 21, 35
FEE, PRICE_PER_KBYTE = 86869, 48260
_FIELDS = ("ref_block_num", "ref_block_prefix", "expiration", "operations", "extensions", "signatures")


class NodeError(Exception):
    """What a node answers instead of a result.

    code, name: those of the node's exception class; 10 is a failed assertion.
    """

    def __init__(self, message: str, code: int = 10, name: str = "assert_exception") -> None:
        super().__init__(message)
        self.code = code
        self.name = name


def tidy(trx: Mapping[str, Any]) -> dict[str, Any]:
    """The transaction's own fields with numbers as numbers, as a node keeps it. NodeError where one is missing."""
    try:
        kept = {field: trx[field] for field in _FIELDS}
        kept["ref_block_num"], kept["ref_block_prefix"] = int(trx["ref_block_num"]), int(trx["ref_block_prefix"])
        kept["operations"] = [[int(kind), _tidy_operation(int(kind), body)] for kind, body in trx["operations"]]
        kept["signatures"] = [bytes.fromhex(text).hex() for text in trx["signatures"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NodeError(f"Unable to parse the transaction: {error!r}", 4, "parse_error_exception") from error
    if not kept["operations"]:
        raise NodeError("A transaction must have at least one operation")
    return kept


def _tidy_operation(kind: int, body: Mapping[str, Any]) -> dict[str, Any]:
    if kind == TRANSFER:
        kept: dict[str, Any] = {
            "fee": _tidy_asset(body["fee"]),
            "from": body["from"],
            "to": body["to"],
            "amount": _tidy_asset(body["amount"]),
        }
        if body.get("memo"):
            memo = body["memo"]
            kept["memo"] = {
                "from": memo["from"],
                "to": memo["to"],
                "nonce": int(memo["nonce"]),
                "message": bytes.fromhex(memo["message"]).hex(),
            }
        kept["extensions"] = []
        return kept
    if kind in (CUSTOM, WITNESS_UPDATE):
        return {**body, "fee": _tidy_asset(body["fee"])}
    raise NodeError(f"No registered evaluator for operation {kind}")


def _tidy_asset(asset: Mapping[str, Any]) -> dict[str, Any]:
    return {"amount": int(asset["amount"]), "asset_id": asset["asset_id"]}


def packed(trx: Mapping[str, Any]) -> bytes:
    """A tidy transaction without its signatures: what is signed (after the chain id) and what the id is taken of."""
    try:
        head = struct.pack(
            "<HII", trx["ref_block_num"], trx["ref_block_prefix"], state.unstamp(trx["expiration"])
        ) + varint(len(trx["operations"]))
        return head + b"".join(varint(kind) + _operation(kind, body) for kind, body in trx["operations"]) + b"\0"
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise NodeError(f"Unable to parse the transaction: {error!r}", 4, "parse_error_exception") from error


def with_signatures(trx: Mapping[str, Any]) -> bytes:
    """A tidy transaction with its signatures, as `get_transaction_hex` tells it."""
    made = [bytes.fromhex(text) for text in trx["signatures"]]
    return packed(trx) + varint(len(made)) + b"".join(made)


def transaction_id(raw: bytes) -> str:
    """40 hex digits of a packed transaction."""
    return hashlib.sha256(raw).hexdigest()[:40]


def required_fee(kind: int, body: Mapping[str, Any]) -> int:
    """Satoshi that an operation costs: the flat fee and, for what it carries, the price per kilobyte.

    A memo is counted with the byte that says it is there, since the core packs it as an optional value.
    """
    if kind == TRANSFER and body.get("memo"):
        return FEE + (1 + len(_memo(body["memo"]))) * PRICE_PER_KBYTE // 1024
    if kind == CUSTOM:
        return FEE + len(_operation(kind, body)) * PRICE_PER_KBYTE // 1024
    return FEE


def payer(kind: int, body: Mapping[str, Any]) -> str:
    """The account that pays an operation's fee, and whose authority it needs."""
    return str(body[{TRANSFER: "from", WITNESS_UPDATE: "witness_account"}.get(kind, "payer")])


def varint(number: int) -> bytes:
    """An unsigned number, seven bits to a byte, lowest first."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _operation(kind: int, body: Mapping[str, Any]) -> bytes:
    if kind == TRANSFER:
        ends = _instance(body["from"], "1.2") + _instance(body["to"], "1.2")
        memo = body.get("memo")
        note = b"\1" + _memo(memo) if memo else b"\0"
        return _asset(body["fee"]) + ends + _asset(body["amount"]) + note + b"\0"
    if kind == WITNESS_UPDATE:
        key = body.get("new_signing_key")
        named = _instance(body["witness"], "1.6") + _instance(body["witness_account"], "1.2")
        return _asset(body["fee"]) + named + b"\0" + (b"\1" + keys.key_bytes(key) if key else b"\0")
    others, data = body["required_auths"], bytes.fromhex(body["data"])
    return (
        _asset(body["fee"])
        + _instance(body["payer"], "1.2")
        + varint(len(others))
        + b"".join(_instance(other, "1.2") for other in others)
        + struct.pack("<H", int(body["id"]))
        + varint(len(data))
        + data
    )


def _asset(asset: Mapping[str, Any]) -> bytes:
    return struct.pack("<q", int(asset["amount"])) + _instance(asset["asset_id"], "1.3")


def _memo(memo: Mapping[str, Any]) -> bytes:
    text = bytes.fromhex(memo["message"])
    ends = keys.key_bytes(memo["from"]) + keys.key_bytes(memo["to"])
    return ends + struct.pack("<Q", int(memo["nonce"])) + varint(len(text)) + text


def _instance(object_id: str, kind: str) -> bytes:
    space, type_, instance = object_id.split(".")
    if f"{space}.{type_}" != kind or not instance.isdigit():
        raise ValueError(f"{object_id} is not a {kind}.x")
    return varint(int(instance))
