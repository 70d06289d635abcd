"""What stands behind a deposit: percentages as the contract floors them, and what a liquidation would cost. Pure."""

from __future__ import annotations

from dataclasses import dataclass

SATOSHI = 100_000_000
MEDIANIZER_ONE = 10**28
AUCTION_BEGINS_PERCENT = 66
AUCTION_LASTS_S = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Percentages below which (strictly, in whole percent) something may happen. courtesy: anybody may make the
    courtesy call; severe: anybody may have it liquidated at once. Each deposit has its own, fixed when it was made."""

    courtesy: int = 125
    severe: int = 110


def wei_per_satoshi(feed: int) -> int | None:
    """The price of a satoshi in wei out of the medianizer's figure (10^18 BTC per ETH); None where the feed is offline,
    which is no price of nothing: it is unknown."""
    return MEDIANIZER_ONE // feed if feed > 0 else None


def percentage(bond: int, lot: int, price: int | None) -> int | None:
    """`collateralizationPercentage()`: floor(bond x 100 / (lot x price)), None where the price is unknown.

    bond: wei; lot: satoshi; price: wei a satoshi. A bond that was seized or freed makes it 0 at any price: look at the
    state first.
    """
    if price is None or price <= 0 or lot <= 0:
        return None
    return bond * 100 // (lot * price)


@dataclass(frozen=True, slots=True)
class AuctionShares:
    """Who gets what of a seized bond, in wei. buyer: who brings the TBTC; each_signer: to every member; starter: to
    whoever called the liquidation."""

    buyer: int
    each_signer: int
    starter: int


def auction(bond: int, elapsed_s: int, *, members: int = 3) -> AuctionShares:
    """What becomes of a bond that is bought so many seconds after the auction began: the buyer's part grows from 66 to
    100 % in a day, in whole percent; the rest is halved between the signers and who started it."""
    elapsed = min(max(elapsed_s, 0), AUCTION_LASTS_S)
    percent = AUCTION_BEGINS_PERCENT + (100 - AUCTION_BEGINS_PERCENT) * elapsed // AUCTION_LASTS_S
    buyer = bond * percent // 100
    half = (bond - buyer) // 2
    return AuctionShares(buyer, half // members, half)


def at_risk(bond: int, own: int, members: int) -> int:
    """The part of a bond that is our operators' to lose, in wei."""
    return bond * own // members
