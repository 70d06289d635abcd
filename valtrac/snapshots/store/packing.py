"""Columns of whole numbers in few bytes: steps from an older column, planes of equal bytes, deflate.

A reading (one address in one snapshot) takes at most eight bytes before compression: its stake,
or how that changed since the snapshot which this one is stored against. Which addresses a
snapshot has is a roster, stored once for all snapshots that share it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Column: TypeAlias = npt.NDArray[np.uint64]
_TOP = np.uint64(63)
_ONE = np.uint64(1)


def column(values: Sequence[int]) -> Column:
    """Whole numbers 0 .. 2**64-1 as a column. Raises OverflowError outside that range."""
    return np.array(values, dtype="<u8")


def pack(values: Column) -> bytes:
    """A column as bytes: all lowest bytes, then all second ones and so on, deflated."""
    planes = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8).T
    return zlib.compress(planes.tobytes(), 6)


def unpack(packed: bytes) -> Column:
    """The column that `pack` was given."""
    planes = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view("<u8").ravel()


def steps(values: Column, base: Column) -> Column:
    """How to get from `base` to `values`, modulo 2**64, so that small changes of either sign are small."""
    change = values - base
    negative = (change >> _TOP) * np.uint64(2**64 - 1)
    return (change << _ONE) ^ negative


def walked(base: Column, taken: Column) -> Column:
    """`base` after those steps."""
    change = (taken >> _ONE) ^ ((taken & _ONE) * np.uint64(2**64 - 1))
    return base + change


def pack_ids(ids: Sequence[int]) -> bytes:
    """Rising whole numbers as bytes: their distances, packed."""
    return pack(column([here - last for here, last in zip(ids, [0, *ids], strict=False)]))


def unpack_ids(packed: bytes) -> list[int]:
    """The numbers that `pack_ids` was given."""
    numbers: list[int] = np.cumsum(unpack(packed), dtype=np.int64).tolist()
    return numbers
