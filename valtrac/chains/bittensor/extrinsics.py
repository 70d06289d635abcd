"""Signed extrinsics read back from their bytes. Pure; written apart from the code that encodes them.

Source: the extrinsic format, version 4, of Substrate; sp_runtime::generic::Era.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from valtrac.core.addresses import address_of
from valtrac.core.chain import Payment
from valtrac.core.trie import read_compact

# the two calls that a payment is made of: pallet and call by their numbers in every runtime of Bittensor so far, so
# that what is signed is known without believing the metadata of a node. Where a runtime changes them, nothing is paid.
TRANSFER_KEEP_ALIVE, BATCH_ALL = bytes([5, 3]), bytes([11, 2])
_SIGNED_V4 = 0x84
_SIGNATURE_BYTES = {0: 64, 1: 64, 2: 65}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds the call of a signed extrinsic. call: the call's bytes, undecoded."""

    tx_id: str
    signer: str
    era_period: int
    era_phase: int
    nonce: int
    tip_units: int
    call: bytes


def tx_id_of(raw: bytes) -> str:
    """The id of an extrinsic: 0x and the blake2b-256 of its bytes, length prefix included."""
    return "0x" + blake2b(raw, digest_size=32).hexdigest()


def envelope(raw: bytes) -> Envelope:
    """A signed, mortal extrinsic taken apart.

    ValueError: cut short, another version, unsigned, an address that is no public key, an era
    that never ends, or a mode that asks for a metadata hash.
    """
    length, place = read_compact(raw, 0)
    if len(raw) - place != length:
        raise ValueError("the length does not fit")
    if raw[place : place + 2] != bytes([_SIGNED_V4, 0]):
        raise ValueError("not a signed extrinsic of version 4 with a plain account")
    signer, place = address_of(_bytes(raw, place + 2, 32)), place + 34
    scheme = _bytes(raw, place, 1)[0]
    if scheme not in _SIGNATURE_BYTES:
        raise ValueError("an unknown kind of signature")
    place += 1 + _SIGNATURE_BYTES[scheme]
    period, phase = era(_bytes(raw, place, 2))
    nonce, place = read_compact(raw, place + 2)
    tip_units, place = read_compact(raw, place)
    if _bytes(raw, place, 1) != b"\x00":
        raise ValueError("an extrinsic with a metadata hash")
    return Envelope(tx_id_of(raw), signer, period, phase, nonce, tip_units, raw[place + 1 :])


def payments_in(call: bytes) -> tuple[Payment, ...]:
    """The payments of a call: one transfer_keep_alive to a public key, or a batch_all of nothing else.

    ValueError for anything else, and for a byte too many.
    """
    count, place = read_compact(call, 2) if call[:2] == BATCH_ALL else (1, 0)
    if not 0 < count <= len(call):
        raise ValueError("it holds no payment")
    payments: list[Payment] = []
    for _ in range(count):
        if _bytes(call, place, 3) != TRANSFER_KEEP_ALIVE + b"\x00":
            raise ValueError("it holds something that is not a payment")
        key = _bytes(call, place + 3, 32)
        units, place = read_compact(call, place + 35)
        payments.append(Payment(address_of(key), units))
    if place != len(call):
        raise ValueError("it holds something that is not a payment")
    return tuple(payments)


def signer_of(raw: bytes) -> str | None:
    """The plain account that signed an extrinsic, whatever else it says; None: unsigned, or another version."""
    try:
        _, place = read_compact(raw, 0)
        return address_of(_bytes(raw, place + 2, 32)) if raw[place : place + 2] == bytes([_SIGNED_V4, 0]) else None
    except ValueError:
        return None


def era(two: bytes) -> tuple[int, int]:
    """(period, phase) of an encoded mortal era. ValueError: none such, or it never ends."""
    encoded = int.from_bytes(two, "little")
    period = 2 << (encoded % 16)
    phase = (encoded >> 4) * max(period >> 12, 1)
    if two[0] == 0 or period < 4 or phase >= period:
        raise ValueError("not a mortal era")
    return period, phase


def era_birth(period: int, phase: int, current: int) -> int:
    """The block a mortal era counts from, seen from the block it was anchored at."""
    return (max(current, phase) - phase) // period * period + phase


def era_last(period: int, birth: int) -> int:
    """The last block that may hold an extrinsic of an era born there."""
    return birth + period - 1


def _bytes(raw: bytes, place: int, size: int) -> bytes:
    if place < 0 or place + size > len(raw):
        raise ValueError("the bytes end too early")
    return raw[place : place + size]
