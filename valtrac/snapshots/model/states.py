"""What claims of payouts on snapshots and ranges of blocks may become, and sums that are kept at a block."""

from __future__ import annotations

from collections.abc import Mapping

from valtrac.core.states import State


class ClaimState(State):
    """held: one payout pays for the snapshot; overlap: a second one does too, which the owner gave a reason for."""

    HELD = "held"
    VOID = "void"
    OVERLAP = "overlap"

    @classmethod
    def _moves(cls) -> Mapping[ClaimState, tuple[ClaimState, ...]]:
        return {cls.HELD: (cls.VOID, cls.OVERLAP), cls.OVERLAP: (cls.VOID,)}


class RangeState(State):
    """planned: of a draft, claims nothing yet; held: its blocks are paid for; void: given free."""

    PLANNED = "planned"
    HELD = "held"
    VOID = "void"

    @classmethod
    def _moves(cls) -> Mapping[RangeState, tuple[RangeState, ...]]:
        return {cls.PLANNED: (cls.HELD, cls.VOID), cls.HELD: (cls.VOID,)}


class CheckpointState(State):
    """valid: the sum of all snapshots before its block; void: it was, before one of them came in or was ruled out."""

    VALID = "valid"
    VOID = "void"

    @classmethod
    def _moves(cls) -> Mapping[CheckpointState, tuple[CheckpointState, ...]]:
        return {cls.VALID: (cls.VOID,)}
