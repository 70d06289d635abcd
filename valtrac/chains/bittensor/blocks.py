"""Blocks as a node sends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from valtrac.chains.bittensor import answers, extrinsics
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import Head


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


def time_set_by(call: Any) -> datetime:
    """The time that the first call of a block sets. Raises Untrusted where it sets none."""
    if call is None or (call["call_module"], call["call_function"]) != ("Timestamp", "set"):
        raise Untrusted("a block that does not begin with its time")
    return answers.moment(call["call_args"][0]["value"])
