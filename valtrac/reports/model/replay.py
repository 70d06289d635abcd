"""The shares of a range computed over a whole matrix at once, by the rules of `payouts/model`, for statistics and
what-if.

The weights of addresses are sums of floats here, good to about fifteen digits; taxes and policies are the very
functions that payouts use. A payout is never computed by this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from valtrac.core.errors import Refused
from valtrac.payouts.model.plans import UNASSIGNED
from valtrac.payouts.model.weights import limits_of
from valtrac.people.model import policies, referrals
from valtrac.people.model.policies import By
from valtrac.people.model.terms import Terms
from valtrac.reports.model.history import Floats, History
from valtrac.snapshots.model.stakes import Method

ONE = 2**64  # of a weight: what is left of a float after that is noise


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the whole, 0..1. base: before referral taxes and policies; adjusted: after. taxes: (referee, referrer)
    -> what flowed. withheld: by what policies keep. Both by users (with `unassigned`) or by nominators."""

    base: Mapping[str, float]
    adjusted: Mapping[str, float]
    taxes: Mapping[tuple[str, str], float]
    withheld: Mapping[str, float]


def shares(history: History, terms: Terms, *, method: Method = "mean-share", by: By = "users") -> Shares:
    """Who earns what part of a range under some terms.

    Raises Refused where nobody but the owner had stake, or the owner's did not grow where that is the method.
    """
    factors = _factors(history, method)
    base: dict[str, float] = {}
    after: dict[str, int] = {}
    flows: dict[tuple[str, str], int] = {}
    edges = terms.edges() if by == "users" or terms.policies else []
    cuts = [0, *(int(np.searchsorted(history.blocks, edge)) for edge in edges), len(history)]
    for first, last in pairwise(cuts):
        if first == last:
            continue
        block = int(history.blocks[first])
        named, marked = _by_name(_stretch(history, method, factors, first, last, terms, by, block), terms, by, block)
        for name, weight in {**named, **marked}.items():
            own = name.removesuffix(policies.MARK)
            base[own] = base.get(own, 0.0) + weight
        unassigned = named.pop(UNASSIGNED, 0) if by == "users" else 0
        if by == "users":
            named, taken = referrals.cascade(named, terms.referrals_at(block))
            for tax in taken:
                flows[tax.referee, tax.referrer] = flows.get((tax.referee, tax.referrer), 0) + tax.units
        view = policies.in_force(terms.policies, block)
        if view.values:
            named = policies.withhold({**named, **marked}, view, policies.accounts(by, terms, block))
        for name, weight in {**named, **({UNASSIGNED: unassigned} if unassigned else {})}.items():
            after[name] = after.get(name, 0) + weight
    for key in [key for key in after if (policies.of_key(key) or ("", "", ""))[2] == "everyone"]:
        del after[key]
    whole, everyone = sum(base.values()), sum(after.values())
    if not whole or not everyone:
        raise Refused("nobody but the owner had stake in this range", fix="choose another range or subnet")
    kept: dict[str, float] = {}
    for key in [key for key in after if policies.MARK in key]:
        _, reason, _ = policies.of_key(key) or ("", "", "")
        kept[reason] = kept.get(reason, 0.0) + after.pop(key) / everyone
    return Shares(
        {name: weight / whole for name, weight in base.items()},
        {name: weight / everyone for name, weight in after.items() if weight},
        {flow: units / everyone for flow, units in flows.items()},
        kept,
    )


def _by_name(weights: Mapping[str, int], terms: Terms, by: By, block: int) -> tuple[dict[str, int], dict[str, int]]:
    """(weights by user, or by address; weights of stake that does not count, under marked names)."""
    owners = terms.owners_at(block)
    named: dict[str, int] = {}
    for key, weight in weights.items():
        name = key if by == "nominators" or key.endswith(policies.MARK) else owners.get(key, UNASSIGNED)
        named[name] = named.get(name, 0) + weight
    marked = {name: named.pop(name) for name in list(named) if name.endswith(policies.MARK)}
    return named, marked


def _factors(history: History, method: Method) -> Floats:
    """What each row counts, before it is divided by everyone's stake."""
    if method == "mean-share":
        return np.ones(len(history))
    if method == "stake-time":
        return np.diff(history.blocks, prepend=history.blocks[0] - 1).astype(np.float64)
    grown = np.diff(history.owner_stake, prepend=history.owner_stake[:1]).clip(0)
    if not grown.any():
        raise Refused(
            "the owner's stake did not grow in this range",
            why="accrual shares by that growth",
            fix="choose a longer range or another method",
        )
    return grown


def _stretch(
    history: History, method: Method, factors: Floats, first: int, last: int, terms: Terms, by: By, block: int
) -> dict[str, int]:
    """address -> weight over rows [first, last); and what limits do not count, under name + MARK."""
    rows, factor = history.stakes[first:last], factors[first:last]
    totals = rows.sum(axis=1)
    # stake-time adds stake up by the time it was there; the others add up parts of each snapshot's whole
    scale = factor if method == "stake-time" else np.where(totals > 0, factor / np.where(totals > 0, totals, 1), 0.0)
    extra: dict[str, float] = {}
    view, whose = policies.in_force(terms.policies, block), policies.accounts(by, terms, block)
    owners = terms.owners_at(block) if by == "users" else {address: address for address in history.addresses}
    limits = limits_of(view, whose, owners.values())
    if limits:
        rows = rows.copy()
        held: dict[str, list[int]] = {}
        for place, address in enumerate(history.addresses):
            if owners.get(address) in limits:
                held.setdefault(owners[address], []).append(place)
        for name, places in held.items():
            least, most = limits[name][0] / 10**9, limits[name][1]
            whole = rows[:, places].sum(axis=1)
            counts = np.minimum(whole, np.inf if most is None else most / 10**9)
            counts = np.where(whole < least, 0.0, counts)
            part = np.where(whole > 0, counts / np.where(whole > 0, whole, 1), 0.0)
            extra[name + policies.MARK] = float(scale @ (whole - counts))
            rows[:, places] *= part[:, None]
    sums = scale @ rows
    stakes = {history.addresses[place]: int(sums[place] * ONE) for place in np.flatnonzero(sums).tolist()}
    return stakes | {name: int(weight * ONE) for name, weight in extra.items() if weight}
