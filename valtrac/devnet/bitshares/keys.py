"""Keys, signatures and shared secrets on secp256k1, by the fastest library that is there.

The rest of the node speaks of keys as text ("BTS6..."); here is what the text stands for. coincurve is taken where
it can be imported, else graphenebase, whose own choice is put right: its `cryptography` backend cannot sign.
"""

from __future__ import annotations

import hashlib
import importlib
from functools import cache, lru_cache
from typing import Any

PREFIX = "BTS"
NULL_KEY = "BTS1111111111111111111111111111111114T1Anm"
_DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


class BadSignature(ValueError):
    """A signature that no key can have made."""


def dev_secret(name: str, role: str) -> bytes:
    """The 32 bytes of a rehearsal key. Everybody can derive it: it protects nothing."""
    return hashlib.sha256(f"valtrac rehearsal key, worthless: {name}/{role}".encode()).digest()


@lru_cache(4096)
def dev_wif(name: str, role: str = "active") -> str:
    """The private rehearsal key of an account, as wallets import it. role: active, memo or owner."""
    body = b"\x80" + dev_secret(name, role)
    return _base58(body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4])


@lru_cache(4096)
def dev_public(name: str, role: str = "active") -> str:
    """The public key that belongs to `dev_wif(name, role)`."""
    return key_text(_public(dev_secret(name, role)))


@lru_cache(65536)
def key_text(raw: bytes) -> str:
    """33 bytes of a public key as the chain writes them."""
    return PREFIX + _base58(raw + ripemd160(raw)[:4])


@lru_cache(65536)
def key_bytes(text: str) -> bytes:
    """The 33 bytes of a public key; ValueError for a typing mistake or another chain's prefix."""
    if not text.startswith(PREFIX):
        raise ValueError(f"a public key starts with {PREFIX}")
    raw = _unbase58(text[len(PREFIX) :])
    if len(raw) != 37 or ripemd160(raw[:33])[:4] != raw[33:]:
        raise ValueError("not a public key")
    return raw[:33]


def public_of(secret: bytes) -> str:
    """The public key of 32 secret bytes."""
    return key_text(_public(secret))


def sign(message: bytes, secret: bytes, *, salt: bytes = b"") -> bytes:
    """65 bytes: a canonical recoverable signature over sha256(message); another one with another salt."""
    curve = _coincurve()
    if curve is None:
        wif = b"\x80" + secret
        wif += hashlib.sha256(hashlib.sha256(wif).digest()).digest()[:4]
        return bytes(_ecdsa().sign_message(message, _base58(wif)))
    key, ffi = _private(secret), curve.utils.ffi
    for attempt in range(256):
        seed = hashlib.sha256(secret + message + salt + bytes([attempt])).digest()
        nonce = (ffi.NULL, ffi.new("unsigned char [32]", seed))
        made: bytes = key.sign_recoverable(message, custom_nonce=nonce)
        if canonical(made):
            return bytes([31 + made[64]]) + made[:64]
    raise AssertionError("256 signatures in a row were not canonical")


def canonical(signature: bytes) -> bool:
    """Whether r and s (64 bytes, or followed by more) are written in the one form that the chain takes."""
    r, s = signature[:32], signature[32:64]
    return not any(half[0] & 0x80 or (half[0] == 0 and not half[1] & 0x80) for half in (r, s))


def recover(message: bytes, signature: bytes) -> str:
    """The public key that made this signature (65 bytes) over sha256(message). Raises BadSignature."""
    if len(signature) != 65 or not 31 <= signature[0] <= 34 or not canonical(signature[1:]):
        raise BadSignature("signature is not canonical")
    curve = _coincurve()
    try:
        if curve is None:
            return key_text(bytes(_ecdsa().verify_message(message, signature)))
        compact = signature[1:] + bytes([signature[0] - 31])
        return key_text(curve.PublicKey.from_signature_and_message(compact, message).format())
    except Exception as error:
        raise BadSignature("unable to reconstruct public key from signature") from error


@lru_cache(65536)
def shared_secret(secret: bytes, public: str) -> str:
    """64 hex digits that two memo keys have in common: the x coordinate of one times the other."""
    curve = _coincurve()
    if curve is not None:
        return str(curve.PublicKey(key_bytes(public)).multiply(secret).format()[1:].hex())
    account = importlib.import_module("bitsharesbase.account")
    memo = importlib.import_module("graphenebase.memo")
    return str(memo.get_shared_secret(account.PrivateKey(secret.hex()), account.PublicKey(public, prefix=PREFIX)))


def memo_cipher(shared: str, nonce: int) -> Any:
    """AES as memos use it; what it makes is only readable by an equal one."""
    return importlib.import_module("graphenebase.memo").init_aes(shared, nonce)


@lru_cache(1024)
def _private(secret: bytes) -> Any:
    return _coincurve().PrivateKey(secret)


def _public(secret: bytes) -> bytes:
    curve = _coincurve()
    if curve is not None:
        return bytes(curve.PrivateKey(secret).public_key.format())
    return bytes.fromhex(repr(importlib.import_module("bitsharesbase.account").PrivateKey(secret.hex()).pubkey))


@cache
def _coincurve() -> Any:
    try:
        return importlib.import_module("coincurve")
    except ImportError:
        return None


@cache
def _ecdsa() -> Any:
    """graphenebase's signatures, kept off the backend that fails."""
    module: Any = importlib.import_module("graphenebase.ecdsa")
    if module.SECP256K1_MODULE == "cryptography":
        module.SECP256K1_MODULE = "ecdsa"
    return module


def ripemd160(data: bytes) -> bytes:
    """20 bytes."""
    try:
        return hashlib.new("ripemd160", data).digest()
    except ValueError:  # an OpenSSL without the old hashes
        return bytes(importlib.import_module("graphenebase.ripemd160").ripemd160(data))


def _base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _DIGITS[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _unbase58(text: str) -> bytes:
    number = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError("not base58")
        number = number * 58 + _VALUES[digit]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
