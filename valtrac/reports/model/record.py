"""What figures are computed from: the record of a range and its payouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from valtrac.people.model.terms import Terms
from valtrac.reports.model.history import Floats, History


@dataclass(frozen=True, slots=True)
class Payout:
    """One approved batch as figures see it, amounts in TAO. earned: name -> its part of the pool, held or not;
    paid: name -> what arrived; fee: what the chain charged."""

    batch: int
    from_block: int
    to_block: int
    at: datetime
    settled: bool
    pool: float
    shared: float
    fee: float
    earned: Mapping[str, float]
    paid: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Record:
    """All that the figures of a hotkey and range are made from. unit: `TAO`, or `alpha of subnet N`.

    prices: (time, money per TAO), oldest first. interval_s: seconds between snapshots that the settings ask for.
    netuid None: all subnets, valued in TAO.
    """

    hotkey: str
    unit: str
    history: History
    terms: Terms
    payouts: tuple[Payout, ...] = ()
    prices: tuple[tuple[datetime, float], ...] = ()
    currency: str = ""
    price_max_age_s: float = 86_400
    interval_s: float = 3_600
    held: Mapping[str, float] = field(default_factory=dict)
    netuid: int | None = 0


def spread(payouts_: Sequence[Payout], amounts: Mapping[int, float], blocks: np.ndarray) -> Floats:
    """What payouts gave up to each block, each spread evenly over the blocks that it pays for."""
    paid = np.zeros(len(blocks))
    for payout in payouts_:
        length = max(1, payout.to_block - payout.from_block + 1)
        paid += amounts[payout.batch] * np.clip((blocks - payout.from_block + 1) / length, 0, 1)
    return paid


def covered(payouts_: Sequence[Payout], blocks: np.ndarray) -> Floats:
    """Which part of the blocks between each two snapshots some payouts pay for, 0..1; blocks paid twice count once."""
    found, reached = np.zeros(len(blocks)), 0
    for payout in sorted(payouts_, key=lambda each: (each.from_block, each.to_block)):
        first = max(payout.from_block, reached)
        if payout.to_block >= first:
            found += np.clip(blocks - first + 1, 0, payout.to_block - first + 1)
            reached = payout.to_block + 1
    return np.diff(found) / np.maximum(np.diff(blocks), 1)


def in_range(record: Record) -> list[tuple[Payout, float]]:
    """The payouts whose blocks meet the range, each with the part of its blocks that lie in it."""
    if not len(record.history):
        return []
    first, last = int(record.history.blocks[0]), int(record.history.blocks[-1])
    points = []
    for payout in record.payouts:
        shared = min(last, payout.to_block) - max(first, payout.from_block) + 1
        if shared > 0:
            points.append((payout, min(1.0, shared / max(1, payout.to_block - payout.from_block + 1))))
    return points
