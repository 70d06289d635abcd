"""Every figure that screens, charts and statements show, each computed in one place. Pure.

Rates are fractions of a year's start (APR, not compounded) unless said otherwise; amounts are floats of TAO. What is
not known is None and never a zero. `GLOSSARY` says what each means in words.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from valtrac.domain import history as hist
from valtrac.domain import replay
from valtrac.domain.history import Floats, History
from valtrac.domain.people import Span, Terms
from valtrac.domain.plans import UNASSIGNED
from valtrac.domain.statistics import (
    BalancePoint,
    Flow,
    PayoutPoint,
    PoolPoint,
    RatePoint,
    ReferralTree,
    Share,
    StakePoint,
    StakeStack,
)

MOST_POINTS = 370  # rates are medians over all nominators: a year of days is as much as a chart can show
OTHERS = "others"
MOST_YIELD = 100  # a hundredfold a year is a rehearsal's figure and nobody's return

GLOSSARY: dict[str, tuple[str, str]] = {
    "APR before take": (
        "% a year",
        "what the chain pays for stake before the validator's take: APR after take / (1 - take)",
    ),
    "APR after take": (
        "% a year",
        "the median growth of the nominators' stakes between snapshots, weighed by stake, times a year over the time "
        "between them; who moves stake in or out does not count into a median",
    ),
    "APR with rebate": (
        "% a year",
        "APR after take, plus what this program paid out for the range, over the nominators' mean stake and the time",
    ),
    "APY": ("% a year", "an APR compounded daily: (1 + APR / 365) ^ 365 - 1"),
    "take income": (
        "TAO",
        "what the validator's take brought: nominators' stake x growth x take / (1 - take); where the take is not "
        "recorded, the growth of the owner's stake beyond what stake earns",
    ),
    "effective rebate": ("%", "what was shared out by payouts over the range, as a part of the take income"),
    "shared out, paid, fees": (
        "TAO",
        "of payouts whose blocks meet the range; of one that covers more blocks, the part for the blocks of the range",
    ),
    "base": ("%", "the mean over snapshots of somebody's stake as a part of everyone's but the owner's"),
    "adjusted": ("%", "base after the referral taxes and policies: the part of a pool that somebody gets"),
    "top ten": ("%", "the part of all stake that the ten largest nominators have, at the last snapshot"),
    "Gini": ("0 to 1", "how unequal stakes are at the last snapshot: 0 all the same, towards 1 one has all"),
    "joiners, leavers": (
        "heads",
        "who had stake at the end of a day and not at the end of the day before, or reversed",
    ),
    "pool accrued": ("TAO", "take income added up from the start of the range"),
    "paid": ("TAO", "what arrived at payees by settled transactions"),
    "held": ("TAO", "owed and kept back; its age counts from the oldest part"),
    "fees": ("TAO", "what the chain charged for payouts"),
    "coverage": ("%", "snapshots taken, of those that the interval asks for between the first and the last"),
    "runway": ("payouts", "what the wallet can spend over the mean of the last three payouts, fees included"),
}


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


@dataclass(frozen=True, slots=True)
class Overview:
    """The range in figures; rates in percent a year, None unknown."""

    first_block: int
    last_block: int
    snapshots: int
    coverage: float
    verified: float
    heads: int
    joined: int
    left: int
    stake: float
    owner_stake: float
    take: float | None
    apr_before: float | None
    apr_after: float | None
    apr_rebate: float | None
    apy_before: float | None
    apy_after: float | None
    apy_rebate: float | None
    take_income: float | None
    shared: float
    paid: float
    fees: float
    effective_rebate: float | None
    top_ten: float | None
    gini: float | None
    held: float


@dataclass(frozen=True, slots=True)
class Person:
    """One user over the range. stake: at the last snapshot; money: its value, None unknown."""

    name: str
    stake: float
    money: float | None
    base: float
    adjusted: float
    chain: tuple[tuple[str, int], ...]
    apr_chain: float | None
    apr: float | None
    earned: float
    paid: float
    held: float


def overview(record: Record) -> Overview:
    """The range at a glance. Needs at least one snapshot."""
    history = record.history
    days = hist.coverage(history.at, record.interval_s)
    due = sum(day.expected for day in days)
    moves = hist.movements(history)
    (before, after, rebate), income = _mean_rates(record), take_income(record)
    shared = sum(payout.shared * part for payout, part in in_range(record))
    take = history.take[~np.isnan(history.take)]
    last = history.stakes[-1]
    return Overview(
        int(history.blocks[0]),
        int(history.blocks[-1]),
        len(history),
        min(100.0, 100 * len(history) / due) if due else 100.0,
        100 * float(history.verified.mean()),
        int((last > 0).sum()),
        sum(move.joined for move in moves),
        sum(move.left for move in moves),
        float(last.sum()),
        float(history.owner_stake[-1]),
        100 * float(take[-1]) if len(take) else None,
        _times_100(before),
        _times_100(after),
        _times_100(rebate),
        _yield(before),
        _yield(after),
        _yield(rebate),
        None if income is None else float(income[-1]),
        shared,
        sum(sum(payout.paid.values()) * part for payout, part in in_range(record)),
        sum(payout.fee * part for payout, part in in_range(record)),
        100 * shared / float(income[-1]) if income is not None and income[-1] > 0 else None,
        _percent(hist.top_share(last)),
        _known(hist.gini(last)),
        sum(units for units in record.held.values() if units > 0),
    )


def person(record: Record, name: str, shares: replay.Shares) -> Person:
    """One user's figures; shares: of the same range, computed once for all."""
    stake, rates = stakes_of(record, name), rates_of(record, name)
    spans = [point for point in rates if not math.isnan(point.rebate)]
    mine = [(payout, part) for payout, part in in_range(record) if name in payout.earned or name in payout.paid]
    held = float(stake[-1]) if len(stake) else 0.0
    price, worth = price_at(record, record.history.at[-1]), _tao(record)[-1]
    return Person(
        name,
        held,
        None if price is None or not worth else held * float(worth) * price,
        100 * shares.base.get(name, 0.0),
        100 * shares.adjusted.get(name, 0.0),
        chain_of(record.terms, name, int(record.history.blocks[-1])),
        sum(point.after for point in spans) / len(spans) if spans else None,
        sum(point.rebate for point in spans) / len(spans) if spans else None,
        sum(payout.earned.get(name, 0.0) * part for payout, part in mine),
        sum(payout.paid.get(name, 0.0) * part for payout, part in mine),
        record.held.get(name, 0.0),
    )


def rates(record: Record) -> list[RatePoint]:
    """The validator's rates over time, in percent a year: one point for each of up to a year of days."""
    return _rates(record, record.history.others, {payout.batch: payout.shared for payout in record.payouts})


def rates_of(record: Record, name: str) -> list[RatePoint]:
    """One user's rates over time: as the chain pays, and with what payouts gave that user."""
    return _rates(
        record, stakes_of(record, name), {payout.batch: payout.earned.get(name, 0.0) for payout in record.payouts}
    )


def stakes_of(record: Record, name: str) -> Floats:
    """What a user's addresses (or one nominator's address) had together, by snapshot."""
    history = record.history
    if name in history.addresses:
        return hist.total_of(history, {name: None})
    found = np.zeros(len(history))
    for term in record.terms.addresses:
        if term.user != name or term.span.empty or term.address not in history.addresses:
            continue
        rows = rows_of(term.span, history.blocks)
        found[rows] += history.stakes[rows, history.addresses.index(term.address)]
    return found


def balances(record: Record, name: str) -> list[BalancePoint]:
    """A user's stake at each snapshot, and its value in money at the price of that time."""
    stake, worth = stakes_of(record, name), _tao(record)
    points = []
    for row, at in enumerate(record.history.at):
        price = price_at(record, at)
        money = None if price is None or not worth[row] else float(stake[row] * worth[row]) * price
        points.append(BalancePoint(at, float(stake[row]), money))
    return points


def price_at(record: Record, at: datetime) -> float | None:
    """Money per TAO at a time: the last known before it, unless that is too old."""
    place = bisect_right(record.prices, (at, math.inf)) - 1
    if place < 0 or (at - record.prices[place][0]).total_seconds() > record.price_max_age_s:
        return None
    return record.prices[place][1]


def totals(record: Record) -> list[StakePoint]:
    """Everyone's stake and the owner's at each snapshot."""
    history, others = record.history, record.history.others
    heads = (history.stakes > 0).sum(axis=1)
    return [
        StakePoint(at, int(history.blocks[row]), float(others[row]), float(history.owner_stake[row]), int(heads[row]))
        for row, at in enumerate(history.at)
    ]


def stack(record: Record, most: int = 8) -> StakeStack:
    """The stakes of the largest so many at the end, by user where the address is one's; the rest as `others`."""
    history = record.history
    column = {address: place for place, address in enumerate(history.addresses)}
    series = {address: history.stakes[:, place].copy() for address, place in column.items()}
    for term in record.terms.addresses:
        if term.span.empty or term.address not in column:
            continue
        rows = rows_of(term.span, history.blocks)
        mine = series.setdefault(term.user, np.zeros(len(history)))
        mine[rows] += history.stakes[rows, column[term.address]]
        series[term.address][rows] = 0.0
    ordered = sorted(series, key=lambda name: (-float(series[name][-1]), -float(series[name].max()), name))
    named = {name: series[name] for name in ordered[:most] if series[name].any()}
    rest = history.others - sum(named.values(), np.zeros(len(history)))
    if len(ordered) > most:
        named[OTHERS] = rest.clip(0)
    return StakeStack(history.at, {name: tuple(values.tolist()) for name, values in named.items()})


def pool(record: Record) -> list[PoolPoint]:
    """The take income, and what was paid out, both added up from the start of the range, in TAO."""
    income = take_income(record)
    if income is None:
        return []
    settled = sorted((payout.at, sum(payout.paid.values())) for payout in record.payouts if payout.settled)
    settled = [(at, paid) for at, paid in settled if at >= record.history.at[0]]
    times = [at for at, _ in settled]
    summed = np.cumsum([0.0, *(paid for _, paid in settled)])
    points = evenly_timed(record)
    return [
        PoolPoint(at, float(income[place]), float(summed[bisect_right(times, at)]))
        for place, at in enumerate(points.at)
    ]


def payouts(record: Record) -> list[PayoutPoint]:
    """The batches of the range that were settled in it or later, oldest first."""
    return [
        PayoutPoint(payout.at, payout.batch, sum(payout.paid.values()), len(payout.paid))
        for payout, _ in sorted(in_range(record), key=lambda one: one[0].at)
        if payout.settled and payout.at >= record.history.at[0]
    ]


def sizes(record: Record) -> list[float]:
    """What each payment of the range was, in TAO."""
    return [amount for payout, _ in in_range(record) for amount in payout.paid.values()]


def take_income(record: Record) -> Floats | None:
    """What the take brought, added up, at each point of `evenly_timed`, in TAO; None where a price is unknown."""
    history = evenly_timed(record)
    worth = _tao(record, history)
    if len(history) < 2 or (worth == 0).any():
        return None if len(history) and (worth == 0).any() else np.zeros(len(history))
    grown = np.nan_to_num(hist.growth(history))
    take, others = history.take[1:], history.others[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        by_take = others * grown * take / (1 - take)
    beyond = np.clip(np.diff(history.owner_stake) - history.owner_stake[:-1] * grown, 0, None)
    gained = np.where(np.isfinite(by_take), np.clip(by_take, 0, None), beyond) * worth[1:]
    return np.concatenate([[0.0], np.cumsum(gained)])


def evenly_timed(record: Record) -> History:
    """The history in at most `MOST_POINTS` rows, evenly spread."""
    return record.history.rows(hist.evenly(record.history, MOST_POINTS))


def share_rows(record: Record, shares: replay.Shares) -> list[Share]:
    """Everyone's base and adjusted percent, the largest first."""
    block = int(record.history.blocks[-1])
    names = sorted(
        {*shares.base, *shares.adjusted} - {UNASSIGNED}, key=lambda name: (-shares.adjusted.get(name, 0.0), name)
    )
    return [
        Share(
            name,
            100 * shares.base.get(name, 0.0),
            100 * shares.adjusted.get(name, 0.0),
            chain_of(record.terms, name, block),
        )
        for name in names
    ]


def tree(record: Record, shares: replay.Shares) -> ReferralTree:
    """Everyone who refers or was referred at the end of the range, and what flowed over the range."""
    block = int(record.history.blocks[-1])
    referrals = record.terms.referrals_at(block)
    flows = tuple(
        Flow(referee, referrer, rate, 100 * shares.taxes.get((referee, referrer), 0.0))
        for referee, (referrer, rate) in sorted(referrals.items())
    )
    names = {flow.referee for flow in flows} | {flow.referrer for flow in flows}
    return ReferralTree({row.name: row for row in _shares_of(record, shares, names)}, flows)


def referrer_income(record: Record) -> dict[str, float]:
    """referrer -> TAO of referral taxes in the payouts of the range; by the shares of each batch's own blocks."""
    found: dict[str, float] = {}
    for payout, part in in_range(record):
        inside = [
            row for row, block in enumerate(record.history.blocks) if payout.from_block <= block <= payout.to_block
        ]
        if not inside or not payout.earned:
            continue
        shares = replay.shares(record.history.rows(inside), record.terms)
        for (_, referrer), flow in shares.taxes.items():
            found[referrer] = found.get(referrer, 0.0) + flow * payout.pool * part
    return found


def chain_of(terms: Terms, name: str, block: int) -> tuple[tuple[str, int], ...]:
    """The referrers above somebody at a block, the nearest first, each with the rate that it takes."""
    edges = terms.referrals_at(block)
    found: list[tuple[str, int]] = []
    while name in edges and len(found) <= len(edges):
        name, rate = edges[name]
        found.append((name, rate))
    return tuple(found)


def _shares_of(record: Record, shares: replay.Shares, names: set[str]) -> list[Share]:
    known = {row.name: row for row in share_rows(record, shares)}
    return [known.get(name, Share(name, 0.0, 0.0)) for name in sorted(names)]


def _rates(record: Record, stake: Floats, rebates: Mapping[int, float]) -> list[RatePoint]:
    places = hist.evenly(record.history, MOST_POINTS)
    history = record.history.rows(places)
    if len(history) < 2:
        return []
    yearly = hist.yearly(hist.growth(history), history)
    spans, worth = np.diff(history.seconds), _tao(record, history)
    given = np.diff(_spread(record.payouts, rebates, history.blocks))
    mean = (stake[places][:-1] * worth[:-1] + stake[places][1:] * worth[1:]) / 2
    points = []
    for row in range(len(history) - 1):
        after, take = float(yearly[row]), float(history.take[row + 1])
        if math.isnan(after) or (not mean[row] and not given[row]):
            continue
        extra = given[row] / mean[row] * hist.YEAR_S / spans[row] if mean[row] > 0 and spans[row] >= 1 else 0.0
        before = None if math.isnan(take) or take >= 1 else 100 * after / (1 - take)
        points.append(RatePoint(history.at[row + 1], before, 100 * after, 100 * (after + float(extra))))
    return points


def _mean_rates(record: Record) -> tuple[float | None, float | None, float | None]:
    """Before, after take, with rebate, as fractions: means over the points, which are evenly spread in time."""
    points = rates(record)
    before = [point.before for point in points if point.before is not None]
    if not points:
        return None, None, None
    return (
        sum(before) / len(before) / 100 if before else None,
        sum(point.after for point in points) / len(points) / 100,
        sum(point.rebate for point in points) / len(points) / 100,
    )


def _spread(payouts_: Sequence[Payout], amounts: Mapping[int, float], blocks: np.ndarray) -> Floats:
    """What payouts gave up to each block, each spread evenly over the blocks that it pays for."""
    found = np.zeros(len(blocks))
    for payout in payouts_:
        length = max(1, payout.to_block - payout.from_block + 1)
        found += amounts[payout.batch] * np.clip((blocks - payout.from_block + 1) / length, 0, 1)
    return found


def in_range(record: Record) -> list[tuple[Payout, float]]:
    """The payouts whose blocks meet the range, each with the part of its blocks that lie in it."""
    if not len(record.history):
        return []
    first, last = int(record.history.blocks[0]), int(record.history.blocks[-1])
    found = []
    for payout in record.payouts:
        shared = min(last, payout.to_block) - max(first, payout.from_block) + 1
        if shared > 0:
            found.append((payout, min(1.0, shared / max(1, payout.to_block - payout.from_block + 1))))
    return found


def rows_of(span: Span, blocks: npt.NDArray[np.int64]) -> slice:
    """The rows at whose blocks a term is in force."""
    until = span.until_block
    last = len(blocks) if until is None else int(np.searchsorted(blocks, until))
    return slice(int(np.searchsorted(blocks, span.from_block)), last)


def _tao(record: Record, history: History | None = None) -> Floats:
    """TAO per unit of stake, by row; 0 where no price was known."""
    return (history or record.history).price


def _percent(value: float) -> float | None:
    return None if math.isnan(value) else 100 * value


def _times_100(rate: float | None) -> float | None:
    return None if rate is None else 100 * rate


def _yield(rate: float | None) -> float | None:
    """Compounded; None for what is too much to be told, as after hours of a rehearsal."""
    if rate is None or abs(rate) > MOST_YIELD:
        return None
    found = 100 * hist.compounded(rate)
    return found if found <= 100 * MOST_YIELD else None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
