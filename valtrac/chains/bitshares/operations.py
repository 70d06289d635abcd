"""Operations and their results as the bytes that stand in a block. Pure; loads no library.

Written from bitshares-core:libraries/protocol. Unknown is raised for what is not written here: its bytes have to be
asked for, and the root of the block says whether they are right. ValueError, KeyError or TypeError: it is malformed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from valtrac.chains.bitshares import answers
from valtrac.chains.bitshares.curve import key

WITNESS_UPDATE = 21
Body = Mapping[str, Any]


class Unknown(Exception):
    """An operation, or a part of one, that is not written here."""


def operation(value: Any) -> bytes:
    """One operation: [kind, body]. Raises Unknown."""
    kind, body = value
    if type(kind) is not int or not 0 <= kind < 1 << 16:
        raise ValueError("an operation of no kind")
    write = _KINDS.get(kind)
    if write is None:
        raise Unknown(f"operation {kind}")
    return varint(kind) + write(body)


def transfer_alone(value: Any) -> bytes:
    """The same for a transfer; Unknown for every other kind."""
    if isinstance(value, list) and value and type(value[0]) is int and value[0] != 0:
        raise Unknown(f"operation {value[0]}")
    return operation(value)


def result(value: Any) -> bytes:
    """The result of one operation: [kind, value]. ValueError for a kind that is not known."""
    kind, body = value
    if kind not in _RESULTS:
        raise ValueError(f"a result of kind {kind!r}")
    return varint(kind) + _RESULTS[kind](body)


# -- parts ------------------------------------------------------------------------------------------


def varint(number: int) -> bytes:
    """An unsigned number, seven bits to a byte, lowest first."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def vector(values: Iterable[Any], write: Callable[[Any], bytes]) -> bytes:
    """How many, then each."""
    written = [write(value) for value in values]
    return varint(len(written)) + b"".join(written)


def instance(value: str, kind: str) -> bytes:
    """The last number of an object's id whose first two are known. kind: like "1.2."."""
    number = value.removeprefix(kind)
    if number == value or not number.isascii() or not number.isdigit() or str(int(number)) != number:
        raise ValueError(f"no object {kind}x")
    return varint(int(number))


def when(value: str) -> bytes:
    """A time, as seconds since 1970."""
    return struct.pack("<I", int(answers.moment(value).timestamp()))


def nothing(value: Any) -> bytes:
    """Extensions, of which there are none. Raises Unknown where there are."""
    if value:
        raise Unknown("extensions")
    return b"\0"


def _u16(value: Any) -> bytes:
    return struct.pack("<H", answers.whole(value, "a number", 1 << 16))


def _u32(value: Any) -> bytes:
    return struct.pack("<I", answers.whole(value, "a number", 1 << 32))


def _object(value: str) -> bytes:
    space, kind, number = map(int, value.split("."))
    return struct.pack("<Q", space << 56 | kind << 48 | number)


def _amount(value: Body) -> bytes:
    units = int(value["amount"])  # a seller's delta of debt may be below zero
    return struct.pack("<q", units) + instance(value["asset_id"], "1.3.")


def _account(value: str) -> bytes:
    return instance(value, "1.2.")


def _asset(value: str) -> bytes:
    return instance(value, "1.3.")


def _bytes(digits: str) -> bytes:
    data = bytes.fromhex(digits)
    return varint(len(data)) + data


def _text(value: str) -> bytes:
    return varint(len(value.encode())) + value.encode()


def _memo(value: Body) -> bytes:
    nonce = struct.pack("<Q", answers.whole(value["nonce"], "a nonce", 1 << 64))
    return key(value["from"]) + key(value["to"]) + nonce + _bytes(value["message"])


def _price(value: Body) -> bytes:
    return _amount(value["base"]) + _amount(value["quote"])


def _authority(value: Body) -> bytes:
    return (
        _u32(value["weight_threshold"])
        + vector(value["account_auths"], lambda pair: _account(pair[0]) + _u16(pair[1]))
        + vector(value["key_auths"], lambda pair: key(pair[0]) + _u16(pair[1]))
        + nothing(value["address_auths"])
    )


def _vote(value: str) -> bytes:
    kind, number = map(int, value.split(":"))
    return struct.pack("<I", number << 8 | kind)


def _options(value: Body) -> bytes:
    return (
        key(value["memo_key"])
        + _account(value["voting_account"])
        + _u16(value["num_witness"])
        + _u16(value["num_committee"])
        + vector(value["votes"], _vote)
        + nothing(value["extensions"])
    )


def _maybe(body: Body, name: str, write: Callable[[Any], bytes]) -> bytes:
    value = body.get(name)
    return b"\0" if value is None else b"\1" + write(value)


# -- operations, by their numbers -----------------------------------------------------------------


def _transfer(op: Body) -> bytes:
    if op.get("extensions") not in (None, [], [[0, {}]]):
        raise ValueError("a transfer with extensions, which has none")  # never a matter of asking for its bytes
    extensions = b"\1\0" if op.get("extensions") else b"\0"  # the type of them all says nothing, and may stand there
    ends = _account(op["from"]) + _account(op["to"])
    return _amount(op["fee"]) + ends + _amount(op["amount"]) + _maybe(op, "memo", _memo) + extensions


def _limit_order(op: Body) -> bytes:
    sold = _amount(op["amount_to_sell"]) + _amount(op["min_to_receive"])
    kill = b"\1" if op["fill_or_kill"] else b"\0"
    return (
        _amount(op["fee"]) + _account(op["seller"]) + sold + when(op["expiration"]) + kill + nothing(op["extensions"])
    )


def _cancel(op: Body) -> bytes:
    order = instance(op["order"], "1.7.")
    return _amount(op["fee"]) + _account(op["fee_paying_account"]) + order + nothing(op["extensions"])


def _call_order(op: Body) -> bytes:
    deltas = _amount(op["delta_collateral"]) + _amount(op["delta_debt"])
    return _amount(op["fee"]) + _account(op["funding_account"]) + deltas + nothing(op["extensions"])


def _account_create(op: Body) -> bytes:
    people = _account(op["registrar"]) + _account(op["referrer"]) + _u16(op["referrer_percent"])
    keys = _authority(op["owner"]) + _authority(op["active"]) + _options(op["options"])
    return _amount(op["fee"]) + people + _text(op["name"]) + keys + nothing(op["extensions"])


def _account_update(op: Body) -> bytes:
    return (
        _amount(op["fee"])
        + _account(op["account"])
        + _maybe(op, "owner", _authority)
        + _maybe(op, "active", _authority)
        + _maybe(op, "new_options", _options)
        + nothing(op["extensions"])
    )


def _issue(op: Body) -> bytes:
    given = _account(op["issuer"]) + _amount(op["asset_to_issue"]) + _account(op["issue_to_account"])
    return _amount(op["fee"]) + given + _maybe(op, "memo", _memo) + nothing(op["extensions"])


def _feed(op: Body) -> bytes:
    feed = op["feed"]
    ratios = _u16(feed["maintenance_collateral_ratio"]) + _u16(feed["maximum_short_squeeze_ratio"])
    prices = _price(feed["settlement_price"]) + ratios + _price(feed["core_exchange_rate"])
    return _amount(op["fee"]) + _account(op["publisher"]) + _asset(op["asset_id"]) + prices + nothing(op["extensions"])


def _witness_create(op: Body) -> bytes:
    return _amount(op["fee"]) + _account(op["witness_account"]) + _text(op["url"]) + key(op["block_signing_key"])


def _witness_update(op: Body) -> bytes:
    who = instance(op["witness"], "1.6.") + _account(op["witness_account"])
    return _amount(op["fee"]) + who + _maybe(op, "new_url", _text) + _maybe(op, "new_signing_key", key)


def _pool_exchange(op: Body) -> bytes:
    sold = _amount(op["amount_to_sell"]) + _amount(op["min_to_receive"])
    pool = instance(op["pool"], "1.19.")
    return _amount(op["fee"]) + _account(op["account"]) + pool + sold + nothing(op["extensions"])


def _custom(op: Body) -> bytes:
    who = _account(op["payer"]) + vector(op["required_auths"], _account)
    return _amount(op["fee"]) + who + _u16(op["id"]) + _bytes(op["data"])


_KINDS: dict[int, Callable[[Body], bytes]] = {
    0: _transfer,
    1: _limit_order,
    2: _cancel,
    3: _call_order,
    5: _account_create,
    6: _account_update,
    14: _issue,
    19: _feed,
    20: _witness_create,
    WITNESS_UPDATE: _witness_update,
    35: _custom,
    63: _pool_exchange,
}

# -- results ----------------------------------------------------------------------------------------


def _objects(names: tuple[str, ...], body: Body) -> bytes:
    return b"".join(vector(body[name], _object) for name in names)


_CHANGED = ("new_objects", "updated_objects", "removed_objects")
_PAID = ("paid", "received", "fees")
_DETAILS: tuple[tuple[str, Callable[[Any], bytes]], ...] = (
    ("impacted_accounts", _account),
    *((name, _object) for name in _CHANGED),
    *((name, _amount) for name in _PAID),
)


def _extended(body: Body) -> bytes:
    """How many fields there are, then (the number of the field, its values) for each."""
    there = [(index, body[name], write) for index, (name, write) in enumerate(_DETAILS) if body.get(name) is not None]
    return varint(len(there)) + b"".join(varint(index) + vector(values, write) for index, values, write in there)


_RESULTS: dict[int, Callable[[Any], bytes]] = {
    0: lambda body: b"",
    1: _object,
    2: _amount,
    3: lambda body: _objects(_CHANGED, body),
    4: lambda body: b"".join(vector(body[name], _amount) for name in _PAID),
    5: _extended,
}
