"""Columns of stakes in few bytes: what is left once the growth of the whole pool is taken out.

Between two snapshots nearly every stake of a hotkey grows by one rate. So a snapshot is stored as that rate, who left
and who joined since the one before, and by how much each other stake differs from what the rate foretells: mostly by
nothing, which takes two planes of nought bits. Now and then a key frame holds everybody, so that reading begins near.

A chain keeps shares and tells stakes rounded down, so that a stake goes up by one more whenever the part below one unit
runs over. That part is not told, but each snapshot says a little of it: it is guessed, carried along from frame to
frame, and put right where it foretold wrongly. Where stakes are whole by themselves the guess is left aside.

A body is its kind and a deflated payload. All of it is whole numbers: the rate is a fraction of 2**64, and whatever is
foretold wrongly is in what is left, so that any rate and any guess whatever give back the same stakes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from valtrac.core.wide import Column, low_half, product

Ids: TypeAlias = npt.NDArray[np.int64]
_Way: TypeAlias = tuple[int, int, tuple[Column, Column], Column]
KEY, SPARSE, DENSE = b"\x01", b"\x02", b"\x03"  # a body of the older form begins with 0x78, as zlib's streams do
_HEAD = struct.Struct("<QBIIII")  # rate, marks, who stays, who left, who joined, residuals beside the planes
_FALL, _GUESSED = 1, 2  # the marks: the rate is below zero; the parts below one unit were used
_JUDGES = 64  # the largest stakes tell the rate best
_IN_PLANES = np.uint64(3)  # residuals below it are in the planes, others follow whole
_ONE, _TOP = np.uint64(1), np.uint64(63)
_MIDDLE, _LAST = np.uint64(2**63), np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """The readings of one snapshot: numbers of addresses, rising, and the stake of each in units.

    parts: what each is guessed to have below one unit, of 2**64; only what is stored against this frame needs them.
    """

    ids: Ids
    stakes: Column
    parts: Column

    def __len__(self) -> int:
        return len(self.ids)


def frame_of(ids: Ids, stakes: Column) -> Frame:
    """A frame of which nothing below one unit is known."""
    return Frame(ids, stakes, np.full(len(ids), _MIDDLE, dtype=np.uint64))


def is_own(body: bytes) -> bool:
    """Whether a body is of the form made here; else it is one of `packing`, with a roster beside it."""
    return body[:1] in (KEY, SPARSE, DENSE)


def whole(frame: Frame) -> bytes:
    """A key frame: everybody, with no need of another. Read back, nothing below one unit is known of it."""
    distances = np.diff(frame.ids, prepend=0).astype(np.uint64)
    return KEY + zlib.compress(len(frame).to_bytes(4, "little") + _planes(distances) + _planes(frame.stakes), 6)


def changed(base: Frame, frame: Frame) -> tuple[bytes, Frame]:
    """A frame as what changed since `base`, and the frame as `read` gives it back, for the next one."""
    left, joined = _compared(base.ids, frame.ids)
    stayed = _without(base, left)
    there = np.ones(len(frame), dtype=bool)
    there[joined] = False
    after = frame.stakes[there] if len(joined) else frame.stakes
    rate, marks, foretold, residuals = _best(stayed, after)
    beside = np.flatnonzero(residuals >= _IN_PLANES)
    parts = [_planes(_distances(left), 4), _planes(_distances(frame.ids[joined])), _planes(frame.stakes[joined])]
    kind = DENSE if len(beside) * 4 > len(residuals) else SPARSE
    if kind == DENSE:
        beside = beside[:0]
        parts.append(_planes(residuals[np.argsort(stayed.stakes, kind="stable")]))
    else:
        small = np.minimum(residuals, _IN_PLANES).astype(np.uint8)
        parts += [np.packbits(small & 1).tobytes(), np.packbits(small >> 1).tobytes()]
        parts += [_planes(_distances(beside), 4), _planes(residuals[beside])]
    head = _HEAD.pack(abs(rate), marks, len(after), len(left), len(joined), len(beside))
    joiners = (frame.ids[joined], frame.stakes[joined])
    return kind + zlib.compress(head + b"".join(parts), 6), _after(stayed, foretold, residuals, joiners)


def read(body: bytes, base: Frame | None) -> Frame:
    """The frame that a body was made of; base: the one that it was stored against, None for a key frame."""
    payload = zlib.decompress(memoryview(body)[1:])
    if body[:1] == KEY:
        heads = int.from_bytes(payload[:4], "little")
        distances, at = _unplaned(payload, heads, 4)
        return frame_of(np.cumsum(distances.view(np.int64)), _unplaned(payload, heads, at)[0])
    assert base is not None, "a snapshot that is stored as steps needs the one before"
    size, marks, stay, leavers, joiners, outside = _HEAD.unpack_from(payload)
    left, at = _unplaned(payload, leavers, _HEAD.size, 4)
    joined, at = _unplaned(payload, joiners, at)
    brought, at = _unplaned(payload, joiners, at)
    stayed = _without(base, np.cumsum(left.view(np.int64)))
    assert len(stayed) == stay, "this is not the snapshot that the steps were taken from"
    residuals = _dense(payload, stayed.stakes, at) if body[:1] == DENSE else _sparse(payload, stay, outside, at)
    foretold = _foretold(stayed, -size if marks & _FALL else size, guessed=bool(marks & _GUESSED))
    return _after(stayed, foretold, residuals, (np.cumsum(joined.view(np.int64)), brought))


def _dense(payload: bytes, before: Column, at: int) -> Column:
    ordered, _ = _unplaned(payload, len(before), at)
    residuals = np.empty_like(ordered)
    residuals[np.argsort(before, kind="stable")] = ordered
    return residuals


def _sparse(payload: bytes, heads: int, outside: int, at: int) -> Column:
    width = (heads + 7) // 8
    bits = np.unpackbits(np.frombuffer(payload, np.uint8, 2 * width, at).reshape(2, width), axis=1, count=heads)
    residuals: Column = (bits[0] + 2 * bits[1]).astype(np.uint64)
    if outside:
        distances, at = _unplaned(payload, outside, at + 2 * width, 4)
        residuals[np.cumsum(distances.view(np.int64))], _ = _unplaned(payload, outside, at)
    return residuals


def _compared(base: Ids, ids: Ids) -> tuple[Ids, Ids]:
    """(the places in `base` of who left, the places in `ids` of who joined)."""
    if len(base) == len(ids) and np.array_equal(base, ids):
        return base[:0], ids[:0]
    left = np.flatnonzero(~np.isin(base, ids, assume_unique=True))
    return left, np.flatnonzero(~np.isin(ids, base, assume_unique=True))


def _without(frame: Frame, places: Ids) -> Frame:
    """Those of a frame who are not at these places of it."""
    if not len(places):
        return frame
    stays = np.ones(len(frame), dtype=bool)
    stays[places] = False
    return Frame(frame.ids[stays], frame.stakes[stays], frame.parts[stays])


def _best(stayed: Frame, after: Column) -> _Way:
    """(rate, marks, what is foretold, the residuals): with the parts below one unit, or without them."""
    tried: list[tuple[int, int, _Way]] = []
    for mark in (_GUESSED, 0):
        rate = _rate(stayed, after, guessed=bool(mark))
        foretold = _foretold(stayed, rate, guessed=bool(mark))
        residuals = _folded(after - foretold[0])
        wrong = int(np.count_nonzero(residuals))
        tried.append((wrong, len(tried), (rate, mark | (_FALL if rate < 0 else 0), foretold, residuals)))
        if wrong * 8 < len(residuals):
            break
    return min(tried, key=lambda way: way[:2])[2]


def _rate(before: Frame, after: Column, *, guessed: bool) -> int:
    """The growth that most of the largest stakes agree on, as a fraction of 2**64; below zero for a fall.

    Each stake that grew from s by at least g and less than g + 1 allows the rates from g/s up to (g + 1)/s: chosen is
    none at all where most of these allow that, else the middle of where most overlap. Who moved stake agrees with
    nobody.
    """
    most = min(_JUDGES, len(before))
    judges = np.argpartition(before.stakes, len(before) - most)[-most:] if most else np.zeros(0, dtype=np.int64)
    edges: list[tuple[int, int]] = []
    parts = before.parts[judges].tolist() if guessed else [0] * most
    for was, part, now in zip(before.stakes[judges].tolist(), parts, after[judges].tolist(), strict=True):
        if was and abs(now - was) < was:
            least, whole = ((now - was) << 64) - part, (was << 64) + part
            edges += [((least << 64) // whole, 1), (((least + 2**64) << 64) // whole, -1)]
    best = deep = rate = 0
    edges.sort()
    for (edge, step), (following, _) in pairwise(edges):
        deep += step
        if deep > best:
            best, rate = deep, 0 if edge <= 0 < following else (edge + following) // 2
    return max(1 - 2**64, min(2**64 - 1, rate))


def _foretold(frame: Frame, rate: int, *, guessed: bool) -> tuple[Column, Column]:
    """(what the stakes become at a rate, modulo 2**64, the parts below one unit then)."""
    if not rate:
        return frame.stakes, frame.parts
    below, grown = product(frame.stakes, abs(rate))
    if rate < 0:
        return frame.stakes - grown, frame.parts
    if not guessed:
        return frame.stakes + grown, frame.parts
    parts = frame.parts + below
    return frame.stakes + grown + (parts < below), parts


def _after(stayed: Frame, foretold: tuple[Column, Column], residuals: Column, joined: tuple[Ids, Column]) -> Frame:
    """The frame after a step. A guess that was wrong by one unit moves to the edge that it ran over; who moved stake is
    guessed at anew."""
    stakes, parts = foretold
    wrong = np.flatnonzero(residuals)
    if len(wrong):
        stakes, parts, by = stakes + _unfolded(residuals), parts.copy(), residuals[wrong]
        parts[wrong] = np.where(
            by == 1, _LAST, np.where(by == 2, np.uint64(0), _MIDDLE)
        )  # 1: one too many was foretold
    new, brought = joined
    if not len(new):
        return Frame(stayed.ids, stakes, parts)
    places = np.searchsorted(stayed.ids, new)
    ids = np.insert(stayed.ids, places, new)
    return Frame(ids, np.insert(stakes, places, brought), np.insert(parts, places, _MIDDLE))


def _folded(change: Column) -> Column:
    """Changes of either sign, modulo 2**64, as small numbers where they are small: 0, -1, 1, -2 as 0, 1, 2, 3."""
    return (change << _ONE) ^ (np.uint64(0) - (change >> _TOP))


def _unfolded(folded: Column) -> Column:
    return (folded >> _ONE) ^ (np.uint64(0) - low_half(folded, 1))


def _distances(rising: Ids) -> Column:
    return np.diff(rising, prepend=0).astype(np.uint64)


def _planes(values: Column, width: int = 8) -> bytes:
    """All lowest bytes, then all second ones and so on; width: how many bytes a value has at most."""
    return np.ascontiguousarray(values, dtype="<u8").view(np.uint8).reshape(-1, 8).T[:width].tobytes()


def _unplaned(payload: bytes, count: int, at: int, width: int = 8) -> tuple[Column, int]:
    """(the values of `_planes`, where what follows them begins)."""
    end = at + count * width
    planes = np.zeros((8, count), dtype=np.uint8)
    planes[:width] = np.frombuffer(payload, np.uint8, count * width, at).reshape(width, count)
    return np.ascontiguousarray(planes.T).view("<u8").ravel(), end
