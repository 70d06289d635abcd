"""Whole numbers wider than a machine's word, in columns: sums of weights stay exact, and are added all at once.

A wide column is an array of shape (limbs, count) of 64 bits each, the lowest limb first. What would not fit is a
mistake of the caller: he says how many limbs are enough. Nothing here rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Column: TypeAlias = npt.NDArray[np.uint64]
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
WORD = 2**64


def low_half(values: Column, bits: int = 32) -> Column:
    """The lowest bits of each."""
    return values & np.uint64((1 << bits) - 1)


def high(values: Column, factor: int) -> Column:
    """floor(value * factor / 2**64) of each; 0 <= factor < 2**64."""
    whole: Column = product(values, factor)[1]
    return whole


def product(values: Column, factor: int) -> Column:
    """value * factor of each, two limbs wide; 0 <= factor < 2**64."""
    small, large = np.uint64(factor & 0xFFFFFFFF), np.uint64(factor >> 32)
    low, top = values & _LOW, values >> _HALF
    first = low * small
    middle = top * small + (first >> _HALF)
    other = low * large + (middle & _LOW)
    wide = np.empty((2, *values.shape), dtype=np.uint64)
    wide[0] = (other << _HALF) | (first & _LOW)
    wide[1] = top * large + (middle >> _HALF) + (other >> _HALF)
    return wide


def total(values: Column) -> int:
    """The sum of all, exactly."""
    halves = [(int((word >> _HALF).sum()) << 32) + int((word & _LOW).sum()) for word in values]
    return sum(whole << (64 * limb) for limb, whole in enumerate(halves))


def zeros(limbs: int, count: int) -> Column:
    """Nothing, so many times."""
    return np.zeros((limbs, count), dtype=np.uint64)


def add(sums: Column, values: Column) -> None:
    """sums += values, in place; values may have fewer limbs."""
    carry: npt.NDArray[np.bool_] | None = None
    for limb in range(len(sums)):
        if limb >= len(values) and carry is None:
            return
        own = sums[limb]
        over = None
        if limb < len(values):
            own += values[limb]
            over = own < values[limb]
        if carry is not None:
            own += carry
            again = carry & (own == 0)
            over = again if over is None else over | again
        carry = over


def subtract(sums: Column, values: Column) -> None:
    """sums -= values, in place; no value may be larger than its sum."""
    borrow: npt.NDArray[np.bool_] | None = None
    for limb in range(len(sums)):
        own = sums[limb]
        under = np.zeros(own.shape, dtype=bool)
        if limb < len(values):
            under = own < values[limb]
            own -= values[limb]
        if borrow is not None:
            under |= borrow & (own == 0)
            own -= borrow
        borrow = under


def scaled(values: Column, factors: Column) -> Column:
    """values * factor, each by its own, as wide as the values are, and that must be enough; factors < 2**32."""
    result, carry = np.empty_like(values), np.zeros(values.shape[1], dtype=np.uint64)
    for limb, own in enumerate(values):
        low = (own & _LOW) * factors + carry
        top = (own >> _HALF) * factors + (low >> _HALF)
        result[limb], carry = (top << _HALF) | (low & _LOW), top >> _HALF
    return result


def times(values: Column, factor: int, limbs: int) -> Column:
    """values * factor, so many limbs wide; factor >= 0 of any size."""
    result = zeros(limbs, values.shape[1])
    place = 0
    while factor:
        factor, word = divmod(factor, WORD)
        for limb in range(min(len(values), limbs - place)):
            add(result[place + limb :], product(values[limb], word)[: limbs - place - limb])
        place += 1
    return result


def divided(values: Column, divisor: int) -> Column:
    """floor(value / divisor) of each; 0 < divisor < 2**32."""
    result, rest, by = np.zeros_like(values), np.zeros(values.shape[1], dtype=np.uint64), np.uint64(divisor)
    for limb in reversed(range(len(values))):
        upper = (rest << _HALF) | (values[limb] >> _HALF)
        above, rest = upper // by, upper % by
        lower = (rest << _HALF) | (values[limb] & _LOW)
        below, rest = lower // by, lower % by
        result[limb] = (above << _HALF) | below
    return result


def grouped(values: Column, groups: npt.NDArray[np.int64], count: int) -> Column:
    """The sums of the values by their group, 0 .. count - 1; as wide as the values are, and that must be enough."""
    result = zeros(len(values), count)
    if not len(groups):
        return result
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    places = ordered[starts]
    for limb in range(len(values)):  # halves, so that their sums fit into a word
        column = values[limb][order]
        for half, part in enumerate((column & _LOW, column >> _HALF)):
            sums = np.add.reduceat(part, starts)
            piece = zeros(len(values) - limb, len(starts))
            piece[0] = sums << _HALF if half else sums
            if half and len(piece) > 1:
                piece[1] = sums >> _HALF
            spread = result[limb:, places]
            add(spread, piece)
            result[limb:, places] = spread
    return result


def of_ints(numbers: Sequence[int], limbs: int) -> Column:
    """A wide column of numbers >= 0. Raises OverflowError where one does not fit."""
    packed = b"".join(number.to_bytes(8 * limbs, "little") for number in numbers)
    return np.ascontiguousarray(np.frombuffer(packed, dtype="<u8").reshape(-1, limbs).T)


def to_ints(values: Column) -> list[int]:
    """The numbers of a wide column."""
    width = 8 * len(values)
    packed = np.ascontiguousarray(values.T, dtype="<u8").tobytes()
    return [int.from_bytes(packed[at : at + width], "little") for at in range(0, len(packed), width)]
