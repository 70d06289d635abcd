"""A block's reward among the delegates by their weights, to the satoshi. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shared:
    """each: delegate -> satoshi, in the order of the weights, nobody with nothing. remainder: what rounding left, the
    pool's; with the shares it is the reward."""

    each: Mapping[str, int]
    remainder: int


def shared(reward: int, weights: Mapping[str, int]) -> Shared:
    """Pay per mature coin: to each delegate reward x weight / all weights, rounded down.

    reward, weights: satoshi. Without any weight all of it is remainder. ValueError: something negative.
    """
    if reward < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("a reward or a weight below nothing")
    total = sum(weights.values())
    each = {who: reward * weight // total for who, weight in weights.items() if weight}
    return Shared({who: units for who, units in each.items() if units}, reward - sum(each.values()))
