"""What the coins of a delegate weigh at a block: those that could have staked it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MATURITY = 2_000  # blocks a coin rests before it may stake, on the main network from block 845,000 on


class Rule(StrEnum):
    """Which mature coins count. PPMU: all. NODE: as the node chooses, without those that have just staked."""

    PPMU = "ppmu"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output as a chain index tells it. height: of the block that made it; spent: of the block that
    spent it, None while it is unspent; staked: the newest block before the one in question whose kernel it was."""

    satoshi: int
    height: int
    spent: int | None = None
    staked: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What makes a coin count. least: satoshi, as the node's -stakingminutxovalue."""

    least: int
    maturity: int = MATURITY
    rule: Rule = Rule.PPMU


def weight(coins: Iterable[Coin], block: int, terms: Terms) -> int:
    """Satoshi that could have staked a block: unspent after the block before it, mature, and large enough."""
    return sum(coin.satoshi for coin in coins if counts(coin, block, terms))


def counts(coin: Coin, block: int, terms: Terms) -> bool:
    """Whether a coin could have staked a block."""
    oldest = block - terms.maturity
    is_there = coin.spent is None or coin.spent >= block
    rests = terms.rule == Rule.NODE and coin.staked is not None and oldest < coin.staked < block
    return is_there and coin.satoshi >= terms.least and coin.height <= oldest and not rests
