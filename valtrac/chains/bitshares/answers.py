"""Answers of a BitShares node, checked before anyone believes them. Pure; Untrusted says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from valtrac.chains.bitshares import curve
from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.chain import Named, SealedMemo
from valtrac.core.text import plain

CORE = "1.3.0"
TRANSFER = 0
NULL_KEY = "BTS1111111111111111111111111111111114T1Anm"
LIFETIME = ("1969-12-31T23:59:59", "2106-02-07T06:28:15")  # the largest 32-bit time, as nodes write it

_ACCOUNT = re.compile(r"1\.2\.(0|[1-9][0-9]{0,14})", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_HEX40 = re.compile(r"[0-9a-f]{40}")
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Member:
    """An account as far as paying needs it. keys: (public key, weight) of its active authority."""

    named: Named
    memo_key: str
    threshold: int
    keys: tuple[tuple[str, int], ...]

    @property
    def takes_memos(self) -> bool:
        """Whether words can be sealed for it: its memo key is one, and not any 33 bytes."""
        return self.memo_key != NULL_KEY and curve.is_key(self.memo_key)


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a node stands. time: of the head block, UTC; last: the last irreversible block."""

    head: int
    head_id: str
    time: datetime
    last: int


def whole(value: Any, what: str, below: int = 2**63) -> int:
    """A whole number, 0 <= value < below; nodes write those of 2^32 and more as text."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if type(value) is not int or not 0 <= value < below:
        raise Untrusted(f"{what} is {plain(repr(value), 60)}")
    return value


def moment(value: Any) -> datetime:
    """A time as nodes write it, in UTC."""
    if isinstance(value, str) and _STAMP.fullmatch(value):
        try:
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        except ValueError as error:
            raise Untrusted(f"a time is {value}") from error
    raise Untrusted(f"a time is {plain(repr(value), 60)}")


def block_id(value: Any, number: int) -> str:
    """The id of the block of that number, which its first 8 digits must tell."""
    if not isinstance(value, str) or not _HEX40.fullmatch(value):
        raise Untrusted(f"the id of block {number} is {plain(repr(value), 60)}")
    if int(value[:8], 16) != number:
        raise Untrusted(f"the id of block {number} tells of block {int(value[:8], 16)}")
    return value


def is_account(value: Any) -> bool:
    """Whether it is an account's id: 1.2.17."""
    return isinstance(value, str) and _ACCOUNT.fullmatch(value) is not None


def account_id(value: Any) -> str:
    """An account's id."""
    if not is_account(value):
        raise Untrusted(f"an account is {plain(repr(value), 60)}")
    return str(value)


def tip(value: Any) -> Tip:
    """get_dynamic_global_properties."""
    head = whole(value["head_block_number"], "the head", 2**32)
    last = whole(value["last_irreversible_block_num"], "the last irreversible block", 2**32)
    if last > head:
        raise Untrusted(f"block {last} is irreversible, and {head} the head")
    return Tip(head, block_id(value["head_block_id"], head), moment(value["time"]), last)


def member(value: Any) -> Member:
    """An account object."""
    name, options, active = value["name"], value["options"], value["active"]
    expires = value["membership_expiration_date"]
    if not isinstance(name, str) or not isinstance(expires, str):
        raise Untrusted("an account without name or membership")
    memo_key = options.get("memo_key") or ""
    if not isinstance(memo_key, str):
        raise Untrusted("a memo key that is no text")
    keys = tuple((str(key), whole(weight, "a weight", 2**16)) for key, weight in active["key_auths"])
    threshold = whole(active["weight_threshold"], "a threshold", 2**32)
    return Member(Named(account_id(value["id"]), name, expires in LIFETIME), memo_key, threshold, keys)


@dataclass(frozen=True, slots=True)
class Authority:
    """What has to sign for an account: keys and accounts with their weights, which together reach the threshold."""

    threshold: int
    keys: tuple[tuple[str, int], ...]
    accounts: tuple[tuple[str, int], ...]


def authorities(value: Any) -> tuple[Authority, Authority]:
    """(active, owner) of an account object."""

    def read(told: Any) -> Authority:
        keys = tuple((str(key), whole(weight, "a weight", 2**16)) for key, weight in told["key_auths"])
        accounts = tuple((account_id(who), whole(weight, "a weight", 2**16)) for who, weight in told["account_auths"])
        return Authority(whole(told["weight_threshold"], "a threshold", 2**32), keys, accounts)

    return read(value["active"]), read(value["owner"])


def core_units(value: Any, what: str) -> int:
    """Satoshi of an amount that must be of the core asset."""
    if value["asset_id"] != CORE:
        raise Untrusted(f"{what} is in asset {plain(value['asset_id'], 20)}")
    return whole(value["amount"], what)


def is_transfer(operation: Any) -> bool:
    """Whether an operation of a block is a transfer; Untrusted where it is no operation."""
    if not isinstance(operation, list) or len(operation) != 2 or type(operation[0]) is not int:
        raise Untrusted("an operation in a shape that nobody knows")
    return operation[0] == TRANSFER


def sealed(value: Any) -> SealedMemo | None:
    """The memo of a transfer, as it stands there."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Untrusted("a memo that is none")
    return SealedMemo(
        str(value.get("from", "")), str(value.get("to", "")), str(value.get("nonce", "")), str(value.get("message", ""))
    )


def present(value: Any, what: str) -> Any:
    """The object; Missing where the node has none."""
    if value is None:
        raise Missing(f"it has no {what}")
    return value


def listed(value: Any, length: int, what: str) -> list[Any]:
    """A list of exactly that length."""
    if not isinstance(value, list) or len(value) != length:
        raise Untrusted(f"{what} came as something else than {length} objects")
    return value
