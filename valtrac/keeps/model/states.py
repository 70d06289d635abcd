"""The states of a tBTC v1 deposit, as the contract numbers them. Pure."""

from __future__ import annotations

from enum import IntEnum


class DepositState(IntEnum):
    """`currentState()` of a deposit. Source: DepositStates.sol of @keep-network/tbtc 1.1.0.

    ACTIVE does not include COURTESY_CALL, whatever a comment in the old bot says.
    """

    START = 0
    AWAITING_SIGNER_SETUP = 1
    AWAITING_BTC_FUNDING_PROOF = 2
    FAILED_SETUP = 3
    ACTIVE = 4
    AWAITING_WITHDRAWAL_SIGNATURE = 5
    AWAITING_WITHDRAWAL_PROOF = 6
    REDEEMED = 7
    COURTESY_CALL = 8
    FRAUD_LIQUIDATION_IN_PROGRESS = 9
    LIQUIDATION_IN_PROGRESS = 10
    LIQUIDATED = 11

    @property
    def final(self) -> bool:
        """Whether nothing changes any more: such a deposit is never asked about again."""
        return self in (self.FAILED_SETUP, self.REDEEMED, self.LIQUIDATED)

    @property
    def redeemable(self) -> bool:
        """Whether the contract takes a request to redeem it, from somebody at least."""
        return self in (self.ACTIVE, self.COURTESY_CALL)

    @property
    def being_redeemed(self) -> bool:
        """Whether a redemption was asked for and is not proven yet."""
        return self in (self.AWAITING_WITHDRAWAL_SIGNATURE, self.AWAITING_WITHDRAWAL_PROOF)
