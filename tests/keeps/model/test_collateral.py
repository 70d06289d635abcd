"""Percentages as the contract floors them, and the auction of a seized bond: figures seen on the real contracts."""

from __future__ import annotations

import pytest

from valtrac.keeps.model.collateral import SATOSHI, at_risk, auction, percentage, wei_per_satoshi

ETH = 10**18
BOND = 75 * ETH


@pytest.mark.parametrize(
    ("eth_per_btc", "price", "percent"),
    [
        (50.0, 500000000000, 150),
        (57.6, 576000000000, 130),
        (58.0, 579999999999, 129),
        (60.0, 600000000000, 125),
        (60.00001, 600000100000, 124),
        (68.18, 681800000000, 110),
        (68.5, 684999999999, 109),
        (75.0, 749999999999, 100),
    ],
)
def test_a_price_makes_the_percentage_that_the_contract_says(eth_per_btc: float, price: int, percent: int) -> None:
    seen = wei_per_satoshi(int(10**18 / eth_per_btc))
    assert seen is not None
    assert abs(seen - price) <= 1  # the figure of the feed was made with floats
    assert percentage(BOND, SATOSHI, price) == percent


def test_an_unknown_price_is_no_percentage_and_a_seized_bond_is_zero() -> None:
    assert wei_per_satoshi(0) is None
    assert percentage(BOND, SATOSHI, wei_per_satoshi(0)) is None
    assert percentage(0, SATOSHI, 500000000000) == 0


@pytest.mark.parametrize(
    ("hours", "buyer", "signer", "starter"),
    [(0, 49.5, 4.25, 12.75), (6, 55.5, 3.25, 9.75), (12, 62.25, 2.125, 6.375), (24, 75, 0, 0), (99, 75, 0, 0)],
)
def test_a_seized_bond_is_shared_as_the_auction_does(hours: int, buyer: float, signer: float, starter: float) -> None:
    shares = auction(BOND, hours * 3600)
    wanted = tuple(int(part * 1000) * ETH // 1000 for part in (buyer, signer, starter))
    assert (shares.buyer, shares.each_signer, shares.starter) == wanted


def test_what_is_at_risk_is_the_part_of_our_own_members() -> None:
    assert at_risk(640 * ETH, 1, 3) == 640 * ETH // 3
    assert at_risk(BOND, 3, 3) == BOND
