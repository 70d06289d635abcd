"""SS58 addresses: the 32-byte key behind one, and one for a key. Pure, no SDK."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {letter: value for value, letter in enumerate(_ALPHABET)}
PREFIX = 42


class BadAddress(ValueError):
    """Not an address of this network; the message says why in a few words."""


def _checksum(body: bytes) -> bytes:
    return blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2]


@lru_cache(maxsize=200_000)
def key_of(address: str) -> bytes:
    """The 32-byte public key of an SS58 address with prefix 42.

    Raises BadAddress: a letter outside base58, a wrong length, a wrong checksum, or the
    prefix of another network (0, 2 and 69 would name the same key a second time).
    Source: the SS58 format of Substrate; checked in the tests against bittensor_core.
    """
    if not 46 <= len(address) <= 50:
        raise BadAddress("wrong length")
    number = 0
    for letter in address:
        if letter not in _DIGIT:
            raise BadAddress(f"{letter!r} is not a letter of an address")
        number = number * 58 + _DIGIT[letter]
    zeros = len(address) - len(address.lstrip(_ALPHABET[0]))  # base58 writes a leading zero byte as a 1
    raw = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(raw) not in (34, 35, 36):
        raise BadAddress("wrong length")
    body, check = raw[:-2], raw[-2:]
    if _checksum(body) != check:
        raise BadAddress("the checksum is wrong, so a letter was mistyped")
    if len(raw) != 35 or body[0] != PREFIX:
        raise BadAddress("an address of another network")
    return body[1:]


@lru_cache(maxsize=200_000)
def address_of(key: bytes) -> str:
    """The SS58 address (prefix 42) of a 32-byte public key."""
    if len(key) != 32:
        raise ValueError("a public key has 32 bytes")
    body = bytes([PREFIX]) + key
    number, letters = int.from_bytes(body + _checksum(body), "big"), ""
    while number:
        number, digit = divmod(number, 58)
        letters = _ALPHABET[digit] + letters
    return letters


def shortened(address: str) -> str:
    """An address for the screen: both ends, the middle left out."""
    return address if len(address) <= 15 else f"{address[:6]}...{address[-6:]}"


def is_address(text: str) -> bool:
    """Whether a text is an address of this network."""
    try:
        key_of(text)
    except BadAddress:
        return False
    return True
