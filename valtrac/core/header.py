"""A block's header in Substrate's bytes, whose hash is the block's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from valtrac.core.trie import compact, hash_of, read_compact

_ROOTS = 64  # bytes of the two roots
_WITH_ENGINE = (4, 5, 6)  # consensus, seal, before the runtime: four letters of the engine, then bytes
_OTHER, _CODE_CHANGED = 0, 8


@dataclass(frozen=True, slots=True)
class Linked:
    """A header of which only its place counts. hash, parent: 32 bytes."""

    hash: bytes
    parent: bytes
    number: int


def header_hash(parent: bytes, number: int, state_root: bytes, extrinsics_root: bytes, logs: Sequence[bytes]) -> bytes:
    """The hash (32 bytes) of a header. logs: the items of its digest, each as it stands there.

    Source: sp-runtime, `generic::Header`; blake2b-256 over its SCALE bytes.
    """
    return hash_of(header_bytes(parent, number, state_root, extrinsics_root, logs))


def header_bytes(parent: bytes, number: int, state_root: bytes, extrinsics_root: bytes, logs: Sequence[bytes]) -> bytes:
    """A header in its SCALE bytes."""
    head = parent + compact(number) + state_root + extrinsics_root
    return head + compact(len(logs)) + b"".join(logs)


def read_header(data: bytes, start: int) -> tuple[Linked, int]:
    """(the header written there, the place after it). ValueError where it is none."""
    parent = data[start : start + 32]
    number, place = read_compact(data, start + 32)
    count, place = read_compact(data, place + _ROOTS)
    for _ in range(count):
        if place >= len(data):
            break
        place = _after_log(data, place)
    if place > len(data) or number >= 2**32:
        raise ValueError("the bytes end too early: they end within a header")
    return Linked(hash_of(data[start:place]), parent, number), place


def _after_log(data: bytes, place: int) -> int:
    """The place after an item of a digest."""
    kind = data[place]
    if kind == _CODE_CHANGED:
        return place + 1
    if kind != _OTHER and kind not in _WITH_ENGINE:
        raise ValueError(f"a digest with something of kind {kind} in it")
    size, start = read_compact(data, place + (5 if kind in _WITH_ENGINE else 1))
    return start + size
