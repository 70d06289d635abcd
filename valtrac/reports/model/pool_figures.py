"""What the charts of a Qtum pool are drawn from: days of rewards and payouts, weights. Pure; floats, for drawing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

COIN = 10**8
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PoolDay:
    """One day (UTC) in QTUM. rewards: of delegates' blocks; own: of the pool's own; paid: to delegates that day."""

    at: datetime
    rewards: float
    own: float
    paid: float


@dataclass(frozen=True, slots=True)
class WeightPoint:
    """Weights at a block, in QTUM; part: of the whole network's weight, in percent."""

    at: datetime
    own: float
    delegated: float
    part: float


def days(
    rewards: Iterable[tuple[datetime, int]], own: Iterable[tuple[datetime, int]], paid: Iterable[tuple[datetime, int]]
) -> list[PoolDay]:
    """Each day from the first to the last on which anything happened, those on which nothing did too.

    Each of the three: (when, satoshi).
    """
    sums: dict[datetime, list[int]] = {}
    for place, entries in enumerate((rewards, own, paid)):
        for moment, satoshi in entries:
            sums.setdefault(_day(moment), [0, 0, 0])[place] += satoshi
    if not sums:
        return []
    first, last = min(sums), max(sums)
    whole = [first + DAY * number for number in range((last - first).days + 1)]
    return [PoolDay(day, *(satoshi / COIN for satoshi in sums.get(day, (0, 0, 0)))) for day in whole]


def weights(rows: Sequence[tuple[datetime, int, int, int]]) -> list[WeightPoint]:
    """Points of (when, own, delegated, network) in satoshi."""
    return [
        WeightPoint(moment, own / COIN, delegated / COIN, 100 * (own + delegated) / network if network else 0.0)
        for moment, own, delegated, network in rows
    ]


def _day(at: datetime) -> datetime:
    moment = at.astimezone(UTC)
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
