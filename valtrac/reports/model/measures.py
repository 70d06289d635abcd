"""Every figure that screens, charts and statements show, each computed in one place. Pure.

Rates are fractions of a year's start (APR, not compounded) unless said otherwise; amounts are floats of TAO. What is
not known is None and never a zero. `GLOSSARY` says what each means in words.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from valtrac.reports.model import history as hist
from valtrac.reports.model import replay
from valtrac.reports.model.income import evenly_timed, tao_of
from valtrac.reports.model.income import take_income as take_income
from valtrac.reports.model.rates import (
    _known,
    _mean_rates,
    _times_100,
    _yield,
    mean,
    rates_of,
    rows_of,
    stakes_of,
    unpaid,
)
from valtrac.reports.model.record import Record, in_range
from valtrac.reports.model.referral_figures import chain_of
from valtrac.reports.model.statistics import (
    BalancePoint,
    PayoutPoint,
    PoolPoint,
    StakePoint,
    StakeStack,
)

OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Overview:
    """The range in figures; rates in percent a year, None unknown. apr_rebate: over what is paid; apr_projected: over
    the rest, which is the part `unpaid` of the time, in percent."""

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
    apr_projected: float | None
    unpaid: float
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
    """One user over the range. stake: at the last snapshot; money: its value, None unknown; apr: over what is paid;
    apr_projected: over the rest."""

    name: str
    stake: float
    money: float | None
    base: float
    adjusted: float
    chain: tuple[tuple[str, int], ...]
    apr_chain: float | None
    apr: float | None
    apr_projected: float | None
    earned: float
    paid: float
    held: float


def overview(record: Record) -> Overview:
    """The range at a glance. Needs at least one snapshot."""
    history = record.history
    days = hist.coverage(history.at, record.interval_s)
    due = sum(day.expected for day in days)
    moves = hist.movements(history)
    (before, after, rebate, projected), income = _mean_rates(record), take_income(record)
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
        _times_100(projected),
        100 * unpaid(record),
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
    mine = [(payout, part) for payout, part in in_range(record) if name in payout.earned or name in payout.paid]
    held = float(stake[-1]) if len(stake) else 0.0
    price, worth = price_at(record, record.history.at[-1]), tao_of(record)[-1]
    return Person(
        name,
        held,
        None if price is None or not worth else held * float(worth) * price,
        100 * shares.base.get(name, 0.0),
        100 * shares.adjusted.get(name, 0.0),
        chain_of(record.terms, name, int(record.history.blocks[-1])),
        mean([point.after for point in rates]),
        mean([point.rebate for point in rates]),
        mean([point.projected for point in rates]),
        sum(payout.earned.get(name, 0.0) * part for payout, part in mine),
        sum(payout.paid.get(name, 0.0) * part for payout, part in mine),
        record.held.get(name, 0.0),
    )


def balances(record: Record, name: str) -> list[BalancePoint]:
    """A user's stake at each snapshot, and its value in money at the price of that time."""
    stake, worth = stakes_of(record, name), tao_of(record)
    points = []
    for row, moment in enumerate(record.history.at):
        price = price_at(record, moment)
        money = None if price is None or not worth[row] else float(stake[row] * worth[row]) * price
        points.append(BalancePoint(moment, float(stake[row]), money))
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
        StakePoint(
            moment, int(history.blocks[row]), float(others[row]), float(history.owner_stake[row]), int(heads[row])
        )
        for row, moment in enumerate(history.at)
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
    settled = [(paid_at, paid) for paid_at, paid in settled if paid_at >= record.history.at[0]]
    times = [paid_at for paid_at, _ in settled]
    summed = np.cumsum([0.0, *(paid for _, paid in settled)])
    points = evenly_timed(record)
    return [
        PoolPoint(moment, float(income[place]), float(summed[bisect_right(times, moment)]))
        for place, moment in enumerate(points.at)
    ]


def payouts(record: Record) -> list[PayoutPoint]:
    """The batches of the range that were settled in it or later, oldest first."""
    return [
        PayoutPoint(payout.at, payout.batch, sum(payout.paid.values()), len(payout.paid))
        for payout, _ in sorted(in_range(record), key=lambda pair: pair[0].at)
        if payout.settled and payout.at >= record.history.at[0]
    ]


def sizes(record: Record) -> list[float]:
    """What each payment of the range was, in TAO."""
    return [amount for payout, _ in in_range(record) for amount in payout.paid.values()]


def _percent(value: float) -> float | None:
    return None if math.isnan(value) else 100 * value
