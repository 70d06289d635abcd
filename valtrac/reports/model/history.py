"""Many snapshots as one matrix, and what follows from it: growth, who came and went, how unequal it is. Pure.

Everything here is for reading and drawing: floats, good to about fifteen digits. Payouts are computed by `plans`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from valtrac.reports.model.statistics import CoverageDay, Movement

Floats: TypeAlias = npt.NDArray[np.float64]
UNIT = 10**9
YEAR_S = 365 * 86_400
NEAR_ZERO_S = 1.0


@dataclass(frozen=True, slots=True)
class History:
    """All snapshots of a hotkey in a range of blocks, oldest first: of one subnet, or of several valued in TAO.

    stakes[row, place]: what addresses[place] had, in TAO (or alpha), 0 where nothing. owner_stake: the owner's own,
    by row. price: TAO per unit by row, 0 where unknown. take: the validator's part, 0..1, NaN where unknown.
    """

    blocks: npt.NDArray[np.int64]
    at: tuple[datetime, ...]
    addresses: tuple[str, ...]
    stakes: Floats
    owner_stake: Floats
    price: Floats
    take: Floats
    verified: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def others(self) -> Floats:
        """Everyone's stake but the owner's, by row."""
        total: Floats = self.stakes.sum(axis=1)
        return total

    @property
    def seconds(self) -> Floats:
        """The time of each row, in seconds since 1970."""
        return np.array([moment.timestamp() for moment in self.at], dtype=np.float64)

    def rows(self, places: Sequence[int]) -> History:
        """The same with some of its rows only."""
        chosen = np.array(places, dtype=np.int64)
        return History(
            self.blocks[chosen],
            tuple(self.at[place] for place in places),
            self.addresses,
            self.stakes[chosen],
            self.owner_stake[chosen],
            self.price[chosen],
            self.take[chosen],
            self.verified[chosen],
        )


def joined(parts: Sequence[History]) -> History:
    """The subnets of a hotkey as one history valued in TAO: at the blocks at which every part that has begun and
    is not over was read. A part without a price counts nothing there."""
    blocks = np.array(sorted({int(block) for part in parts for block in part.blocks}), dtype=np.int64)
    names = tuple(sorted({name for part in parts for name in part.addresses}))
    column = {name: place for place, name in enumerate(names)}
    stakes, owner = np.zeros((len(blocks), len(names))), np.zeros(len(blocks))
    times: dict[int, datetime] = {}
    take, verified = np.full(len(blocks), np.nan), np.ones(len(blocks), dtype=bool)
    for part in parts:
        rows = np.searchsorted(blocks, part.blocks)
        places = np.array([column[name] for name in part.addresses], dtype=np.int64)
        stakes[np.ix_(rows, places)] += part.stakes * part.price[:, None]
        owner[rows] += part.owner_stake * part.price
        take[rows] = np.where(np.isnan(take[rows]), part.take, take[rows])
        verified[rows] &= part.verified
        times |= {int(block): moment for block, moment in zip(part.blocks, part.at, strict=True)}
    return History(
        blocks, tuple(times[int(block)] for block in blocks), names, stakes, owner, np.ones(len(blocks)), take, verified
    )


def evenly(history: History, most: int) -> list[int]:
    """At most so many rows, evenly spread in time, the first and the last among them."""
    if len(history) <= most:
        return list(range(len(history)))
    seconds = history.seconds
    wanted = np.linspace(seconds[0], seconds[-1], most)
    return sorted({int(place) for place in np.searchsorted(seconds, wanted).clip(0, len(history) - 1)})


def growth(history: History) -> Floats:
    """How much stake grew from each row to the next, as a fraction: the median over nominators, weighed by stake.

    Who moves stake in or out is an outlier, and a median does not see outliers: so this is what the chain paid
    for stake that stayed, as long as less than half of it moved. NaN where nobody had stake at both ends.
    """
    growths = np.full(max(len(history) - 1, 0), np.nan)
    for row in range(len(growths)):
        before, after = history.stakes[row], history.stakes[row + 1]
        both = (before > 0) & (after > 0)
        if both.any():
            growths[row] = _median(after[both] / before[both] - 1, before[both])
    return growths


def yearly(growths: Floats, history: History) -> Floats:
    """Growth from row to row as the fraction that a year of it would add, without compounding (APR)."""
    spans = np.diff(history.seconds)
    safe = np.where(spans < NEAR_ZERO_S, np.nan, spans)
    yearly: Floats = growths * YEAR_S / safe
    return yearly


def compounded(rate: float) -> float:
    """A yearly rate (APR, a fraction) compounded daily (APY)."""
    return float((1 + rate / 365) ** 365 - 1)


def gini(values: Floats) -> float:
    """0: all the same; towards 1: one has all. Of those above zero; NaN without any.

    Source: half the relative mean absolute difference.
    """
    ordered = np.sort(values[values > 0])
    if not len(ordered):
        return float("nan")
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def top_share(values: Floats, most: int = 10) -> float:
    """The part of the whole that the largest so many have, 0..1; NaN where the whole is nothing."""
    whole = values.sum()
    return float(np.sort(values)[-most:].sum() / whole) if whole > 0 else float("nan")


def movements(history: History) -> list[Movement]:
    """Day by day (UTC): how many nominators came and went, and how many there were at its end."""
    if not len(history):
        return []
    days = [moment.astimezone(UTC).date() for moment in history.at]
    last_of_day = [row for row in range(len(days)) if row == len(days) - 1 or days[row] != days[row + 1]]
    there = history.stakes[last_of_day] > 0
    began = history.stakes[0] > 0
    came, went = there[0] & ~began, began & ~there[0]
    movements = [Movement(days[last_of_day[0]], int(came.sum()), int(went.sum()), int(there[0].sum()))]
    for place in range(1, len(last_of_day)):
        came, went = there[place] & ~there[place - 1], there[place - 1] & ~there[place]
        movements.append(Movement(days[last_of_day[place]], int(came.sum()), int(went.sum()), int(there[place].sum())))
    return movements


def coverage(at: Sequence[datetime], interval_s: float) -> list[CoverageDay]:
    """Day by day (UTC) from the first snapshot to the last: how many there are, and how many there should be."""
    if not at:
        return []
    first, last = at[0].astimezone(UTC), at[-1].astimezone(UTC)
    taken: dict[date, int] = {}
    for moment in at:
        day = moment.astimezone(UTC).date()
        taken[day] = taken.get(day, 0) + 1
    ticks = round((last - first).total_seconds() / interval_s) + 1
    due: dict[date, int] = {}
    for tick in range(ticks):
        day = (first + timedelta(seconds=tick * interval_s)).date()
        due[min(day, last.date())] = due.get(min(day, last.date()), 0) + 1
    days, day = [], first.date()
    while day <= last.date():
        days.append(CoverageDay(day, taken.get(day, 0), float(due.get(day, 0))))
        day += timedelta(days=1)
    return days


def total_of(history: History, names: Mapping[str, object]) -> Floats:
    """What some addresses had together, by row."""
    places = [place for place, address in enumerate(history.addresses) if address in names]
    sums: Floats = history.stakes[:, places].sum(axis=1)
    return sums


def _median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    summed = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(summed, summed[-1] / 2)])
