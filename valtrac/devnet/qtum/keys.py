"""Keys and signatures on secp256k1, by the fastest library that is there."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from valtrac.devnet.qtum.codec import base58check, hash160, sha256d, sized

MAGIC = b"Qtum Signed Message:\n"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the rehearsal: its 32 secret bytes, its 33 public ones, and their hash, which an address stands for."""

    secret: bytes
    public: bytes
    hash: bytes


@lru_cache(65536)
def dev_key(name: str) -> Key:
    """The worthless key that follows from a name. Everybody can derive it: it protects nothing."""
    return key_of(hashlib.sha256(f"valtrac qtum rehearsal key, worthless: {name}".encode()).digest())


@lru_cache(65536)
def key_of(secret: bytes) -> Key:
    """The key of 32 secret bytes."""
    public = bytes(_private(secret).public_key.format())
    return Key(secret, public, hash160(public))


def sign(digest: bytes, secret: bytes) -> bytes:
    """A DER signature over 32 bytes, with the low s that nodes relay."""
    return bytes(_private(secret).sign(digest, hasher=None))


def fits(digest: bytes, signature: bytes, public: bytes) -> bool:
    """Whether a DER signature over 32 bytes is the key's; one with a high s, or in another form, does not count."""
    try:
        return bool(_curve().verify_signature(signature, digest, public, hasher=None))
    except Exception:  # the library raises one kind for a broken signature and another for a broken key
        return False


def sign_compact(digest: bytes, secret: bytes) -> bytes:
    """65 bytes from which the key can be recovered: a block's signature, a proof of delegation."""
    made = _private(secret).sign_recoverable(digest, hasher=None)
    return bytes((31 + made[64],)) + bytes(made[:64])


def recovered(digest: bytes, signature: bytes) -> bytes | None:
    """The hash of the key that made a compact signature over 32 bytes; None where there is none."""
    if len(signature) != 65 or not 27 <= signature[0] <= 34:
        return None
    try:
        made = signature[1:] + bytes(((signature[0] - 27) & 3,))
        public = _curve().PublicKey.from_signature_and_message(made, digest, hasher=None)
    except Exception:  # the library raises plain Exceptions of several kinds
        return None
    return hash160(bytes(public.format(signature[0] >= 31)))


def message_digest(text: str) -> bytes:
    """What is signed when a text is: with Qtum's words in front."""
    return sha256d(sized(MAGIC) + sized(text.encode()))


@lru_cache(65536)
def delegation_proof(delegate: Key, staker_hash: bytes) -> bytes:
    """The 65 bytes by which a delegate hands its coins to a staker: its signature over the staker's hash in hex."""
    return sign_compact(message_digest(staker_hash.hex()), delegate.secret)


@lru_cache(65536)
def proves(delegate_hash: bytes, staker_hash: bytes, proof: bytes) -> bool:
    """Whether a proof of delegation was made by this delegate for this staker."""
    return recovered(message_digest(staker_hash.hex()), proof) == delegate_hash


@lru_cache(65536)
def address(prefix: int, key_hash: bytes) -> str:
    """The address of a hash."""
    return base58check(bytes((prefix,)) + key_hash)


@lru_cache(65536)
def _private(secret: bytes) -> Any:
    return _curve().PrivateKey(secret)


@lru_cache(1)
def _curve() -> Any:
    return importlib.import_module("coincurve")
