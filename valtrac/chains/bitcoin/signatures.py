"""Signatures of secp256k1 as Bitcoin takes them, and whose they are. Pure.

A public key is 64 bytes here, x then y, as keeps publish it; on Bitcoin it is the 33 bytes that `compressed` makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from valtrac.chains.qtum.encoding import hash160

if TYPE_CHECKING:
    from eth_keys.datatypes import Signature

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PRIME = 2**256 - 2**32 - 977
SIGHASH_ALL = 1


def compressed(public_key: bytes) -> bytes:
    """33 bytes of a public key. ValueError for what is no point of the curve."""
    if len(public_key) != 64:
        raise ValueError("a public key has 64 bytes")
    x, y = int.from_bytes(public_key[:32], "big"), int.from_bytes(public_key[32:], "big")
    if x >= _PRIME or y >= _PRIME or (y * y - x**3 - 7) % _PRIME:
        raise ValueError("a public key that is no point of the curve")
    return bytes([2 + (y & 1)]) + public_key[:32]


def key_hash(public_key: bytes) -> bytes:
    """The 20 bytes by which a P2WPKH output knows a key. ValueError for what is no point of the curve."""
    return hash160(compressed(public_key))


def low_s(s: int) -> int:
    """The smaller of the two halves that make the same signature: nodes relay no other (BIP 146)."""
    return min(s, ORDER - s)


def der(r: int, s: int) -> bytes:
    """A signature in DER, its second half made low. ValueError where a half is out of range."""
    if not 0 < r < ORDER or not 0 < s < ORDER:
        raise ValueError("a signature that is out of range")
    body = _der_integer(r) + _der_integer(low_s(s))
    return b"\x30" + bytes([len(body)]) + body


def read_der(raw: bytes) -> tuple[int, int]:
    """(r, s) of a signature in strict DER with a low second half. ValueError for any other spelling."""
    try:
        size = raw[3]
        r = int.from_bytes(raw[4 : 4 + size], "big")
        s = int.from_bytes(raw[6 + size :], "big")
    except IndexError:
        raise ValueError("no signature") from None
    if der(r, s) != raw:
        raise ValueError("a signature that is not in its one form")
    return r, s


def is_by(public_key: bytes, digest: bytes, r: int, s: int) -> bool:
    """Whether a key of 64 bytes signed a digest of 32 bytes. Never raises for a signature that is none."""
    from eth_keys.datatypes import PublicKey

    try:
        compressed(public_key)
        return bool(PublicKey(public_key).verify_msg_hash(digest, _signature(r, low_s(s), 0)))
    except Exception:  # the libraries below have errors of their own for each kind of nonsense
        return False


def signer(digest: bytes, r: int, s: int, recovery: int) -> bytes:
    """The 64 bytes of the key that signed a digest. recovery: 0 to 3, as a keep publishes it.

    ValueError where no key did."""
    if recovery not in range(4):
        raise ValueError("a recovery id is 0 to 3")
    try:
        found = _signature(r, s, recovery).recover_public_key_from_msg_hash(digest)
    except Exception as error:
        raise ValueError("a signature that no key has made") from error
    return bytes(found.to_bytes())


def _signature(r: int, s: int, recovery: int) -> Signature:
    from eth_keys.datatypes import Signature

    return Signature(vrs=(recovery, r, s))


def _der_integer(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "big")  # one bit more than it has: a sign that is plus
    return b"\x02" + bytes([len(raw)]) + raw
