"""Blocks as a node sends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valtrac.chains.bittensor import answers, extrinsics
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import Head
from valtrac.core.trie import read_compact

# an unsigned extrinsic of version 4 or 5, and Timestamp.set by its numbers in every runtime of Bittensor so far
_SET_TIME = (bytes([4, 2, 0]), bytes([5, 2, 0]))


@dataclass(frozen=True, slots=True)
class Block:
    """A block as the node sent it."""

    head: Head
    raw: tuple[bytes, ...]

    @property
    def tx_ids(self) -> tuple[str, ...]:
        """The ids of its extrinsics, computed from their bytes."""
        return tuple(extrinsics.tx_id_of(raw) for raw in self.raw)


def from_hex(text: Any) -> bytes:
    """The bytes of hexadecimal text. Raises Untrusted."""
    if not isinstance(text, str):
        raise Untrusted("an extrinsic that is no text")
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise Untrusted("an extrinsic that is not hexadecimal") from error


def time_set_by(first: bytes) -> datetime:
    """The time that the first extrinsic of a block sets: unsigned, with nothing but Timestamp.set in it.

    Untrusted where it sets none.
    """
    try:
        size, start = read_compact(first, 0)
        milliseconds, end = read_compact(first, start + 3)
    except ValueError as error:
        raise Untrusted("a block that does not begin with its time") from error
    if first[start : start + 3] not in _SET_TIME or len(first) != end or end - start != size:
        raise Untrusted("a block that does not begin with its time")
    return answers.moment(milliseconds)
