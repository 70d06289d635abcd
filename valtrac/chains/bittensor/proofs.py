"""What a node says, held against the header of its block: bodies, accounts and events. Pure; raises Untrusted.

A header's hash covers its parent, its body's root and the root of the state after it. Who knows the hash of a block can
be told nothing false about what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from valtrac.chains.bittensor.answers import Account
from valtrac.chains.bittensor.blocks import from_hex
from valtrac.chains.untrusted import Untrusted
from valtrac.core import trie
from valtrac.core.addresses import key_of
from valtrac.core.grandpa import ENGINE
from valtrac.core.header import header_hash

# twox128 of "System" and of "Events", of "System" and of "Account"
EVENTS_KEY = bytes.fromhex("26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7")
_ACCOUNTS = bytes.fromhex("26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9")
_ACCOUNT_BYTES = 56
_MOST_LOGS = 1_000
_HEX_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,16}")


@dataclass(frozen=True, slots=True)
class Header:
    """A header that hashes to the name of its block. Hashes: 0x and 64 hex digits; state_root: 32 bytes. logs: the
    items of its digest."""

    hash: str
    parent: str
    number: int
    state_root: bytes
    extrinsics_root: bytes
    logs: tuple[bytes, ...] = ()


def header_of(answer: Mapping[str, Any]) -> Header:
    """A header as a node sends it, with the hash that it has. Untrusted: it is none."""
    logs = answer["digest"]["logs"]
    if not isinstance(logs, list) or len(logs) > _MOST_LOGS:
        raise Untrusted("a header without a digest")
    parent, state_root, body_root = (
        _hash(answer[name], name) for name in ("parentHash", "stateRoot", "extrinsicsRoot")
    )
    number = _number(answer["number"])
    if not 0 <= number < 2**32:
        raise Untrusted(f"a height is {number}")
    items = tuple(from_hex(log) for log in logs)
    name = header_hash(parent, number, state_root, body_root, items)
    return Header("0x" + name.hex(), "0x" + parent.hex(), number, state_root, body_root, items)


def _number(text: Any) -> int:
    if not isinstance(text, str) or not _HEX_NUMBER.fullmatch(text):
        raise Untrusted("a header whose height is no number")
    return int(text, 16)


def check_body(header: Header, extrinsics: Sequence[bytes]) -> None:
    """Raise Untrusted unless a block's header is made for just these extrinsics, in this order."""
    if header.extrinsics_root not in trie.body_roots(extrinsics):
        raise Untrusted(f"the transactions of block {header.number} do not fit its header")


def stored(header: Header, nodes: Any, key: bytes) -> bytes | None:
    """What stands under a key in the state after a block; None: nothing. nodes: the proof as a node sends it."""
    if not isinstance(nodes, list):
        raise Untrusted("a proof that is none")
    try:
        return trie.read(header.state_root, [from_hex(node) for node in nodes], key)
    except trie.Unproven as error:
        raise Untrusted(f"a proof of storage at block {header.number} that proves nothing: {error}") from error


def account_key(address: str) -> bytes:
    """Where System.Account of an address stands."""
    key = key_of(address)
    return _ACCOUNTS + blake2b(key, digest_size=16).digest() + key


def account(raw: bytes | None) -> Account:
    """System.Account from its bytes: four counters, the nonce first, then free, reserved and frozen rao, and flags."""
    if raw is None:
        return Account(0, 0)
    if len(raw) != _ACCOUNT_BYTES:
        raise Untrusted(f"an account of {len(raw)} bytes, not {_ACCOUNT_BYTES}")
    free, frozen = int.from_bytes(raw[16:24], "little"), int.from_bytes(raw[32:40], "little")
    return Account(max(0, free - frozen), int.from_bytes(raw[:4], "little"))


def justification_in(answer: Mapping[str, Any]) -> bytes | None:
    """The votes that a node keeps with a block: GRANDPA's justification as `chain_getBlock` gives it, None without one.

    Each is a pair of its engine and its bytes, both as lists of numbers or in hexadecimal. Untrusted: it is none.
    """
    kept = answer.get("justifications")
    if kept is None:
        return None
    if not isinstance(kept, list) or len(kept) > _MOST_LOGS:
        raise Untrusted("justifications in a shape that nobody knows")
    for pair in kept:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Untrusted("justifications in a shape that nobody knows")
        if _bytes(pair[0]) == ENGINE:
            return _bytes(pair[1])
    return None


def _bytes(value: Any) -> bytes:
    """Bytes as a list of numbers, or in hexadecimal."""
    if not isinstance(value, list):
        return from_hex(value)
    if not all(type(number) is int and 0 <= number < 256 for number in value):
        raise Untrusted("bytes that are none")
    return bytes(value)


def _hash(value: Any, what: str) -> bytes:
    raw = from_hex(value)
    if len(raw) != 32:
        raise Untrusted(f"{what} is no hash")
    return raw
