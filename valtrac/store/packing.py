"""Columns of whole numbers in few bytes: planes of equal bytes, then deflate.

A reading (one address in one snapshot) takes at most eight bytes before compression: its
stake. Which addresses a snapshot has is a roster, stored once for all snapshots that share it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

LARGEST = 2**64 - 1


def pack(values: Sequence[int]) -> bytes:
    """Whole numbers 0 .. 2**64-1 as bytes. Raises OverflowError outside that range."""
    column = np.array(values, dtype="<u8")
    planes = column.view(np.uint8).reshape(-1, 8).T
    return zlib.compress(planes.tobytes(), 6)


def unpack(packed: bytes) -> list[int]:
    """The numbers that `pack` was given."""
    planes = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(8, -1)
    numbers: list[int] = np.ascontiguousarray(planes.T).view("<u8").ravel().tolist()
    return numbers


def pack_ids(ids: Sequence[int]) -> bytes:
    """Rising whole numbers as bytes: their steps, packed."""
    return pack([step - last for step, last in zip(ids, [0, *ids], strict=False)])


def unpack_ids(packed: bytes) -> list[int]:
    """The numbers that `pack_ids` was given."""
    found: list[int] = np.cumsum(unpack(packed), dtype=np.int64).tolist()
    return found
