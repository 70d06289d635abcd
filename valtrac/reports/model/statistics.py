"""Figures for people to look at: floats here are for drawing and reading, never for money.

Shapes only; what each figure means and how it is computed is told in `services/statistics.py`. Stakes and amounts
are in TAO, or in alpha where one subnet is looked at; shares and rates in percent; times are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class StakePoint:
    """One snapshot in a chart. others, owner: TAO (or alpha), rounded for drawing; heads: nominators."""

    at: datetime
    block: int
    others: float
    owner: float
    heads: int


@dataclass(frozen=True, slots=True)
class RatePoint:
    """What a year at the pace of one stretch would bring, in percent (APR). None: unknown there.

    before, after: before and after the validator's take, as the chain pays; rebate: after it, with what was paid
    out by this program on top, where a payout is settled; projected: the same as it would be where none is yet.
    """

    at: datetime
    before: float | None
    after: float
    rebate: float | None
    projected: float | None = None


@dataclass(frozen=True, slots=True)
class BalancePoint:
    """What somebody had at a snapshot. money: its value then, None where no price was known."""

    at: datetime
    stake: float
    money: float | None


@dataclass(frozen=True, slots=True)
class StakeStack:
    """Stakes of several over time. stakes: name -> one value for each of `at`, the largest at the end first;
    the last name may be `others`."""

    at: tuple[datetime, ...]
    stakes: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class PoolPoint:
    """The owner's take and what was paid out of it, both added up from the start of the range."""

    at: datetime
    accrued: float
    paid: float


@dataclass(frozen=True, slots=True)
class PayoutPoint:
    """One settled batch: what it paid, to how many."""

    at: datetime
    batch: int
    paid: float
    heads: int


@dataclass(frozen=True, slots=True)
class Share:
    """Somebody's part of the whole over a range, before (base) and after (adjusted) referral taxes, in percent.

    chain: the referrers above, the nearest first, each with its rate in basis points.
    """

    name: str
    base: float
    adjusted: float
    chain: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Flow:
    """What one referee gives to its referrer: percent of the whole, at a rate in basis points."""

    referee: str
    referrer: str
    rate_bps: int
    percent: float


@dataclass(frozen=True, slots=True)
class ReferralTree:
    """Everyone who refers or is referred, with shares, and the flows between them."""

    shares: Mapping[str, Share]
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """Who came and went on one day (UTC); heads: nominators at its end."""

    day: date
    joined: int
    left: int
    heads: int


@dataclass(frozen=True, slots=True)
class CoverageDay:
    """Snapshots of one day (UTC): taken, and as many as the interval asks for."""

    day: date
    taken: int
    expected: float


@dataclass(frozen=True, slots=True)
class HeldBalance:
    """A balance owed and kept back; days: since its oldest part was booked."""

    name: str
    amount: float
    days: float


@dataclass(frozen=True, slots=True)
class Difference:
    """What a change of rules would have meant for one name, in TAO: as it was, and as it would have been."""

    name: str
    was: float
    would_be: float
