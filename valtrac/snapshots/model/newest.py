"""On which subnet a hotkey's stake is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROOT = 0
ONE_TAO = 10**9
RECENT = 7_200  # blocks, about a day: what no snapshot has shown for longer than this, the stake has left


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest snapshot of one subnet. units: all stake on it, the owner's own too; price_rao: TAO per alpha, in rao,
    None where nobody recorded one."""

    netuid: int
    block: int
    units: int
    price_rao: int | None


def most_first(newest: Sequence[Newest]) -> list[int]:
    """The subnets, those with the most stake first; of equals the smaller netuid.

    Stake is compared by its worth in TAO. Where an alpha has no price, all are compared by their units. A subnet whose
    newest snapshot is more than a day older than another's comes behind those that are recorded still.
    """
    last = max((each.block for each in newest), default=0)
    priced = all(each.netuid == ROOT or each.price_rao is not None for each in newest)

    def order(each: Newest) -> tuple[bool, int, int]:
        price = each.price_rao or 0 if priced and each.netuid != ROOT else ONE_TAO
        return each.block < last - RECENT, -each.units * price, each.netuid

    return [each.netuid for each in sorted(newest, key=order)]
