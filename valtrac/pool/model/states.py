"""What blocks, rewards and paydays may become, and what is booked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from valtrac.core.states import State


class BlockState(State):
    """held: in the chain as far as was seen; undone: the chain has another one at its height."""

    HELD = "held"
    UNDONE = "undone"

    @classmethod
    def _moves(cls) -> Mapping[BlockState, tuple[BlockState, ...]]:
        return {cls.HELD: (cls.UNDONE,)}


class Booking(StrEnum):
    """Why something stands in the book of shares. share: of a reward; undone: taken back with its block; remainder,
    own, unshared: the pool's, by rounding, by a block of its own coins, by a reward that nobody had a weight for;
    opening: taken over from the old program; payday: paid, or kept as the pool's fee; fee: what the pool kept."""

    SHARE = "share"
    UNDONE = "undone"
    REMAINDER = "remainder"
    OWN = "own"
    UNSHARED = "unshared"
    OPENING = "opening"
    PAYDAY = "payday"
    FEE = "fee"
