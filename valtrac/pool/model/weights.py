"""What the coins of a delegate weigh at a block: those that could have staked it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from valtrac.core.staking import OwnedCoin

MATURITY = 2_000  # blocks a coin rests before it may stake, on the main network from block 845,000 on


class Rule(StrEnum):
    """Which mature coins count. PPMU: all. NODE: as the node chooses, without those that have just staked."""

    PPMU = "ppmu"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Terms:
    """What makes a coin count. least: satoshi, as the node's -stakingminutxovalue."""

    least: int
    maturity: int = MATURITY
    rule: Rule = Rule.PPMU


def that_count(
    coins: Iterable[OwnedCoin], block: int, terms: Terms, staked: Mapping[str, int] = MappingProxyType({})
) -> tuple[OwnedCoin, ...]:
    """The coins that could have staked a block: unspent after the block before it, mature, and large enough.

    staked: outpoint -> the newest block before it whose kernel that coin was; a coin that rests for it does not count
    by the rule NODE.
    """
    oldest, least = block - terms.maturity, terms.least
    counting = tuple(
        coin
        for coin in coins
        if coin.satoshi >= least and coin.height <= oldest and (coin.spent is None or coin.spent >= block)
    )
    if terms.rule != Rule.NODE or not staked:
        return counting
    return tuple(coin for coin in counting if not oldest < staked.get(coin.outpoint, 0) < block)
