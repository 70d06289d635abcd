"""What recorded history would have meant under other rules: replayed, never stored. Pure; floats, in TAO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.payouts.model.plans import UNASSIGNED
from valtrac.people.model.policies import By
from valtrac.people.model.referrals import ReferralCycle
from valtrac.people.model.terms import RateTerm, ReferralTerm, Span, Terms
from valtrac.reports.model import history as hist
from valtrac.reports.model import measures, replay
from valtrac.reports.model.history import Floats
from valtrac.reports.model.income import evenly_timed
from valtrac.reports.model.rates import rows_of
from valtrac.reports.model.record import Record, in_range
from valtrac.reports.model.statistics import Difference
from valtrac.snapshots.model.stakes import Method

ALWAYS = Span(0)


@dataclass(frozen=True, slots=True)
class Change:
    """What is other than it was; None or empty: as it was. take: 0..1. minimum, pool: TAO. rates: referrer -> basis
    points, for all that it brought. brought: referee -> referrer, or None for nobody."""

    take: float | None = None
    pool: float | None = None
    minimum: float | None = None
    method: Method | None = None
    by: By = "users"
    rates: Mapping[str, int] = field(default_factory=dict)
    brought: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether all would be as it was."""
        plain_ = (self.take, self.pool, self.minimum, self.method)
        return all(value is None for value in plain_) and not self.rates and not self.brought


@dataclass(frozen=True, slots=True)
class Outcome:
    """The range twice, in TAO. rows: what each name would have earned by the chain and the pool together, the largest
    change first. pool, owner: what is shared out, and what the owner keeps of the take. below: who would get less
    than the minimum from one such pool, and so be held."""

    rows: tuple[Difference, ...]
    pool: Difference
    owner: Difference
    below: tuple[str, ...]


def replayed(record: Record, change: Change) -> Outcome:
    """The range as it was and as it would have been.

    The pool is what approved batches shared in the range, else all of the take income; under another take it
    stays the same part of the income, unless a pool is given. Raises BadInput for what cannot be, Refused where
    nobody had stake.
    """
    income = measures.take_income(record)
    if income is None:
        raise BadInput(
            "a price is missing in this range", why="stake cannot be valued in TAO", fix="choose another range"
        )
    _check(record, change)
    earned = float(income[-1]) if len(income) else 0.0
    was_pool = sum(payout.pool * part for payout, part in in_range(record)) or earned
    take, factor = _take(record), 1.0
    if change.take is not None:
        if take is None:
            raise BadInput("take: the take of this range was never recorded", fix="leave --take away")
        factor = change.take / take
    pool = change.pool if change.pool is not None else was_pool * factor
    before = replay.shares(record.history, record.terms, by=change.by)
    after = _shares_after(record, change)
    grown = 1.0 if change.take is None or take is None else (1 - change.take) / (1 - take)
    chain = by_name(record, change.by)
    names = sorted(({*before.adjusted, *after.adjusted, *chain}) - {UNASSIGNED})
    rows = [
        Difference(
            name,
            chain.get(name, 0.0) + was_pool * before.adjusted.get(name, 0.0),
            chain.get(name, 0.0) * grown + pool * after.adjusted.get(name, 0.0),
        )
        for name in names
    ]
    kept_was = earned - was_pool * sum(before.adjusted.get(name, 0.0) for name in names)
    kept = earned * factor - pool * sum(after.adjusted.get(name, 0.0) for name in names)
    least = change.minimum or 0.0
    return Outcome(
        tuple(sorted(rows, key=lambda row: (-abs(row.would_be - row.was), row.name))),
        Difference("pool", was_pool, pool),
        Difference("owner", kept_was, kept),
        tuple(name for name in names if 0 < pool * after.adjusted.get(name, 0.0) < least),
    )


def _shares_after(record: Record, change: Change) -> replay.Shares:
    """Who would have earned what part. Raises BadInput where somebody would be above and below the same person."""
    terms, method = changed(record.terms, change), change.method or "mean-share"
    try:
        return replay.shares(record.history, terms, method=method, by=change.by)
    except ReferralCycle as error:
        raise BadInput(
            f"somebody would be above and below the same person: {error}",
            why="at a time in this range",
            fix="choose another referrer",
        ) from error


def changed(terms: Terms, change: Change) -> Terms:
    """The terms with other rates and another tree, as if they had always been so."""
    rates = [term for term in terms.rates if term.referrer not in change.rates]
    rates += [RateTerm(name, None, bps, ALWAYS) for name, bps in change.rates.items()]
    referrals = [term for term in terms.referrals if term.referee not in change.brought]
    referrals += [
        ReferralTerm(referee, referrer, ALWAYS) for referee, referrer in change.brought.items() if referrer is not None
    ]
    return replace(terms, rates=tuple(rates), referrals=tuple(referrals))


def by_name(record: Record, by: By) -> dict[str, float]:
    """What the chain added to each one's stake over the range, in TAO: stake times growth, step by step."""
    history = evenly_timed(record)
    if len(history) < 2:
        return {}
    grown = np.nan_to_num(hist.growth(history)) * history.price[1:]
    gained: Floats = grown[:, None] * history.stakes[:-1]
    if by != "users":
        return {
            name: units for name, units in zip(history.addresses, gained.sum(axis=0).tolist(), strict=True) if units
        }
    rates: dict[str, float] = {}
    column = {address: place for place, address in enumerate(history.addresses)}
    for term in record.terms.addresses:
        if term.span.empty or term.address not in column:
            continue
        rows = rows_of(term.span, history.blocks[:-1])
        rates[term.user] = rates.get(term.user, 0.0) + float(gained[rows, column[term.address]].sum())
    return {name: units for name, units in rates.items() if units}


def _check(record: Record, change: Change) -> None:
    known = {term.name for term in record.terms.users}
    referrers = {referrer for referrer in change.brought.values() if referrer is not None}
    for name in {*change.rates, *change.brought, *referrers}:
        if name not in known:
            raise BadInput(f"there is no user {plain(name, 60)!r}", fix="look at the list of users")
    edges = {
        term.referee: term.referrer for term in changed(record.terms, change).referrals if term.span.until_block is None
    }
    for start in edges:
        seen, name = {start}, edges[start]
        while name in edges:
            if name in seen:
                raise BadInput(f"{plain(name)} would be above and below the same person", fix="choose another referrer")
            seen.add(name)
            name = edges[name]
        if name == start:
            raise BadInput(f"{plain(name)} would refer to itself", fix="choose another referrer")
    if change.take is not None and not 0 <= change.take < 1:
        raise BadInput("take: it lies between 0 and 1", fix="write 0.18, or 18%")


def _take(record: Record) -> float | None:
    known = record.history.take[~np.isnan(record.history.take)]
    return float(known.mean()) if len(known) and known.mean() > 0 else None
