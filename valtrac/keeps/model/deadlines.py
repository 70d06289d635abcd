"""Every wait has an end, by the chain's own clock. Pure; seconds, and moments in seconds since 1970.

Source: TBTCConstants.sol of @keep-network/tbtc 1.1.0, and the contracts run on a local chain.
"""

from __future__ import annotations

COURTESY_CALL_S = 6 * 60 * 60
SETUP_S = 3 * 60 * 60
FUNDING_PROOF_S = 3 * 60 * 60
SIGNATURE_S = 2 * 60 * 60
FEE_INCREASE_AFTER_S = 4 * 60 * 60
PROOF_S = 6 * 60 * 60
TERM_S = 180 * 24 * 60 * 60


def call_expired(called_at: int, now: int) -> bool:
    """Whether anybody may have a deposit liquidated because its courtesy call was left unanswered, at any price."""
    return now >= called_at + COURTESY_CALL_S


def signature_late(since: int, now: int) -> bool:
    """Whether the signers have missed their time. since: the request, or the last increase of the fee."""
    return now > since + SIGNATURE_S


def fee_may_be_increased(since: int, now: int) -> bool:
    """Whether the fee of the Bitcoin transaction may be increased. since: the request, or the last increase."""
    return now >= since + FEE_INCREASE_AFTER_S


def proof_late(since: int, now: int) -> bool:
    """Whether the proof of the Bitcoin transaction has missed its time. since: as above."""
    return now > since + PROOF_S


def setup_late(created_at: int, now: int) -> bool:
    """Whether the signers have not made a key in time."""
    return now > created_at + SETUP_S


def at_term(funded_at: int, now: int) -> bool:
    """Whether anybody may redeem a deposit because its time is over."""
    return now >= funded_at + TERM_S
