"""Public keys: as chains write them, and whose a compact secp256k1 signature is, by the fastest library at hand."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from valtrac.chains.bitshares.link import OWN_PREFIX
from valtrac.chains.ripemd import ripemd160

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {digit: value for value, digit in enumerate(_ALPHABET)}
_PRIME = 2**256 - 2**32 - 977


@lru_cache(65_536)
def key(text: str) -> bytes:
    """33 bytes of a public key; ValueError where it is none."""
    number = 0
    for digit in text.removeprefix(OWN_PREFIX):
        if digit not in _DIGITS:
            raise ValueError("no public key")
        number = number * 58 + _DIGITS[digit]
    if not text.startswith(OWN_PREFIX) or number >= 1 << 296:
        raise ValueError("no public key")
    raw = number.to_bytes(37, "big")
    if ripemd160(raw[:33])[:4] != raw[33:]:
        raise ValueError("no public key")
    return raw[:33]


@lru_cache(4_096)
def text_of(raw: bytes) -> str:
    """33 bytes of a public key as they are written."""
    number, digits = int.from_bytes(raw + ripemd160(raw)[:4], "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return OWN_PREFIX + digits


@lru_cache(4_096)
def is_key(text: str) -> bool:
    """Whether it is a public key that can be reckoned with: 33 bytes that stand for a point of the curve."""
    try:
        raw = key(text)
    except ValueError:
        return False
    x = int.from_bytes(raw[1:], "big")
    return raw[0] in (2, 3) and x < _PRIME and pow(x**3 + 7, (_PRIME - 1) // 2, _PRIME) == 1


def signer(message: bytes, signature: bytes) -> bytes:
    """The 33 bytes of the public key that signed sha256(message). signature: 65 bytes, the first 31 plus its number.

    ValueError where it is none, or not in the one form that the chain takes (both halves positive, without needless
    zeros). Source: bitshares-core's fc, elliptic_common.cpp is_fc_canonical.
    """
    if len(signature) != 65 or not 31 <= signature[0] <= 34:
        raise ValueError("no signature")
    for first, second in ((signature[1], signature[2]), (signature[33], signature[34])):
        if first & 0x80 or (first == 0 and not second & 0x80):
            raise ValueError("a signature that is not canonical")
    try:
        return _recover()(message, signature)
    except Exception as error:
        raise ValueError("a signature that no key has made") from error


@cache
def _recover() -> Callable[[bytes, bytes], bytes]:
    for name, recovering in (("secp256k1", _by_secp256k1), ("coincurve", _by_coincurve)):
        try:
            return recovering(importlib.import_module(name))
        except ImportError:
            continue
    ecdsa: Any = importlib.import_module("graphenebase.ecdsa")
    if ecdsa.SECP256K1_MODULE == "cryptography":  # it can neither sign nor verify with an ecdsa above 0.14
        ecdsa.SECP256K1_MODULE = "ecdsa"
    return lambda message, signature: bytes(ecdsa.verify_message(message, signature))


def _by_secp256k1(library: Any) -> Callable[[bytes, bytes], bytes]:
    blank = library.PublicKey()

    def recover(message: bytes, signature: bytes) -> bytes:
        compact = blank.ecdsa_recoverable_deserialize(signature[1:], signature[0] - 31)
        made = blank.ecdsa_recover(hashlib.sha256(message).digest(), compact, raw=True)
        return bytes(library.PublicKey(made).serialize())

    return recover


def _by_coincurve(library: Any) -> Callable[[bytes, bytes], bytes]:
    def recover(message: bytes, signature: bytes) -> bytes:
        compact = signature[1:] + bytes([signature[0] - 31])
        return bytes(library.PublicKey.from_signature_and_message(compact, message).format())

    return recover
