"""Which coins could have staked a block: the worked example of the old pool, and each boundary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pytest

from valtrac.core.staking import OwnedCoin
from valtrac.pool.model.weights import Rule, Terms, that_count

QTUM = 10**8
BLOCK = 1_000_000
COINS = (
    OwnedCoin("a:0", 25 * QTUM, 998_000),
    OwnedCoin("b:0", 2_499_999_999, 900_000),
    OwnedCoin("c:0", 100 * QTUM, 998_001),
    OwnedCoin("d:0", 40 * QTUM, 500_000),
    OwnedCoin("e:0", 60 * QTUM, 999_999),
    OwnedCoin("f:0", 30 * QTUM, 700_000, spent=1_000_003),
)


def weight(coins: Iterable[OwnedCoin], terms: Terms, staked: Mapping[str, int] = MappingProxyType({})) -> int:
    """Satoshi of those that count for the block."""
    return sum(coin.satoshi for coin in that_count(coins, BLOCK, terms, staked))


@pytest.mark.parametrize(("rule", "satoshi"), [(Rule.PPMU, 9_500_000_000), (Rule.NODE, 5_500_000_000)])
def test_a_delegates_coins_weigh_what_could_have_staked_the_block(rule: Rule, satoshi: int) -> None:
    assert weight(COINS, Terms(25 * QTUM, rule=rule), {"d:0": 999_100}) == satoshi


@pytest.mark.parametrize(
    ("coin", "there"),
    [
        (OwnedCoin("x:0", QTUM, BLOCK - 2_000), True),
        (OwnedCoin("x:0", QTUM, BLOCK - 1_999), False),
        (OwnedCoin("x:0", QTUM - 1, 1), False),
        (OwnedCoin("x:0", QTUM, 1, spent=BLOCK - 1), False),
        (OwnedCoin("x:0", QTUM, 1, spent=BLOCK), True),
    ],
)
def test_each_boundary_of_a_coin(coin: OwnedCoin, there: bool) -> None:
    for rule in Rule:
        assert weight([coin], Terms(QTUM, rule=rule), {"another:0": BLOCK - 1}) == coin.satoshi * there


@pytest.mark.parametrize(
    ("staked", "there"), [(BLOCK - 2_000, True), (BLOCK - 1_999, False), (BLOCK - 1, False), (BLOCK, True)]
)
def test_each_boundary_of_a_coins_rest(staked: int, there: bool) -> None:
    coin = OwnedCoin("x:0", QTUM, 1)
    assert weight([coin], Terms(QTUM, rule=Rule.NODE), {"x:0": staked}) == QTUM * there
    assert weight([coin], Terms(QTUM), {"x:0": staked}) == QTUM


def test_maturity_is_the_networks() -> None:
    coin = OwnedCoin("x:0", QTUM, BLOCK - 500)
    assert weight([coin], Terms(QTUM, maturity=500)) == QTUM
    assert weight([coin], Terms(QTUM)) == 0
