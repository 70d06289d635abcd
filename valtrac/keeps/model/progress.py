"""What becomes of a redemption from the decision to its proof, and of what is done about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from valtrac.core.states import State


class RedemptionState(State):
    """asked: its transaction is signed or on its way; requested: the contract took it, and the signers are to sign;
    signed: the signature is with the contract, and the Bitcoin transaction is on its way; redeemed: proven; lost: the
    deposit went into liquidation all the same; failed: the contract never took it."""

    ASKED = "asked"
    REQUESTED = "requested"
    SIGNED = "signed"
    REDEEMED = "redeemed"
    LOST = "lost"
    FAILED = "failed"

    @classmethod
    def _moves(cls) -> Mapping[RedemptionState, tuple[RedemptionState, ...]]:
        return {
            cls.ASKED: (cls.REQUESTED, cls.SIGNED, cls.REDEEMED, cls.LOST, cls.FAILED),
            cls.REQUESTED: (cls.SIGNED, cls.REDEEMED, cls.LOST),
            cls.SIGNED: (cls.REQUESTED, cls.REDEEMED, cls.LOST),  # back: its fee was increased
        }


OPEN = (RedemptionState.ASKED, RedemptionState.REQUESTED, RedemptionState.SIGNED)


class Action(StrEnum):
    """What was done, or seen, as the audit log has it."""

    APPROVE = "approve"
    CLOSE = "close"
    COURTESY_CALL = "call"
    LEAVE_CALL = "leave"
    REDEEM = "redeem"
    SIGN = "sign"
    SEND = "send"
    INCREASE = "increase"
    PROVE = "prove"
    SEEN = "seen"
    LEFT = "left"
    MINT = "mint"
