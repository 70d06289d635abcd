"""Which coins could have staked a block: the worked example of the old pool, and each boundary."""

from __future__ import annotations

import pytest

from valtrac.pool.model.weights import Coin, Rule, Terms, weight

QTUM = 10**8
BLOCK = 1_000_000
COINS = (
    Coin(25 * QTUM, 998_000),
    Coin(2_499_999_999, 900_000),
    Coin(100 * QTUM, 998_001),
    Coin(40 * QTUM, 500_000, staked=999_100),
    Coin(60 * QTUM, 999_999),
    Coin(30 * QTUM, 700_000, spent=1_000_003),
)


@pytest.mark.parametrize(("rule", "satoshi"), [(Rule.PPMU, 9_500_000_000), (Rule.NODE, 5_500_000_000)])
def test_a_delegates_coins_weigh_what_could_have_staked_the_block(rule: Rule, satoshi: int) -> None:
    assert weight(COINS, BLOCK, Terms(25 * QTUM, rule=rule)) == satoshi


@pytest.mark.parametrize(
    ("coin", "there"),
    [
        (Coin(QTUM, BLOCK - 2_000), True),
        (Coin(QTUM, BLOCK - 1_999), False),
        (Coin(QTUM - 1, 1), False),
        (Coin(QTUM, 1, spent=BLOCK - 1), False),
        (Coin(QTUM, 1, spent=BLOCK), True),
        (Coin(QTUM, 1, staked=BLOCK - 2_000), True),
        (Coin(QTUM, 1, staked=BLOCK - 1_999), False),
        (Coin(QTUM, 1, staked=BLOCK - 1), False),
        (Coin(QTUM, 1, staked=BLOCK), True),
    ],
)
def test_each_boundary_of_the_nodes_rule(coin: Coin, there: bool) -> None:
    assert weight([coin], BLOCK, Terms(QTUM, rule=Rule.NODE)) == coin.satoshi * there


def test_maturity_is_the_networks() -> None:
    assert weight([Coin(QTUM, BLOCK - 500)], BLOCK, Terms(QTUM, maturity=500)) == QTUM
    assert weight([Coin(QTUM, BLOCK - 500)], BLOCK, Terms(QTUM)) == 0
