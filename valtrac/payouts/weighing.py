"""The weights of a range from the sums that are kept at checkpoints: two look-ups, its edges, and changes of terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from valtrac.core import wide
from valtrac.core.wide import Column
from valtrac.payouts.model import columns, weights
from valtrac.payouts.model.plans import Rules
from valtrac.payouts.model.weights import Weights
from valtrac.people.model import policies
from valtrac.people.model.terms import Terms
from valtrac.snapshots.model import running, stakes
from valtrac.snapshots.model.running import Ids, Running
from valtrac.snapshots.model.stakes import TIME_ONE, Moment
from valtrac.snapshots.store import snapshots, sums
from valtrac.snapshots.store.sums import Scope


def weigh(conn: sa.Connection, hotkey: str, rules: Rules, terms: Terms, *, interval: int | None = None) -> Weights:
    """The weight of every user (after referral taxes) or nominator over a range, as `weights.weigh` gives it.

    interval: blocks between snapshots; gaps longer than two are noted.
    Raises Refused where the range has no snapshot or nobody to share among, where a price is missing, or where the
    owner's stake fell or did not grow and the method needs that.
    """
    blocks = snapshots.blocks(conn, hotkey, rules.netuid, rules.from_block, rules.to_block)
    if not blocks:
        raise weights.no_snapshot(rules)
    if rules.netuid is None:
        stakes.check_priced(snapshots.first_unpriced(conn, hotkey, rules.from_block, rules.to_block))
    if not _adds_up(conn, hotkey, rules):
        return _one_by_one(conn, hotkey, rules, terms, interval)
    names: dict[str, int] = {}
    try:
        (first, last) = _sum_up(conn, hotkey, rules, terms, blocks, names)
    except OverflowError:  # limits on stakes that are valued in TAO, or beyond any chain's
        return _one_by_one(conn, hotkey, rules, terms, interval)
    grown, fell = last.grown - first.grown, last.falls - first.falls
    if rules.method == "accrual" and (not grown or (fell and not rules.ignore_withdrawals)):
        range_, before = moments(conn, hotkey, rules)
        stakes.time_weights("accrual", range_, before, rules.from_block, ignore_withdrawals=rules.ignore_withdrawals)
        raise AssertionError("the sums say that the owner's stake fell or did not grow, and the snapshots do not")
    empty = last.empty > first.empty or rules.method == "stake-time"  # whose first block lies before the first sum
    nobody = snapshots.empty_blocks(conn, hotkey, rules.netuid, rules.from_block, rules.to_block) if empty else []
    return weights.finished(rules, names, blocks, nobody, interval)


def moments(conn: sa.Connection, hotkey: str, rules: Rules) -> tuple[list[Moment], Moment | None]:
    """(the snapshots of a range, the one before it where the method needs that), stake by stake."""
    rows = snapshots.load(conn, hotkey, rules.netuid, rules.from_block, rules.to_block)
    earlier = None
    if rules.method == "accrual":
        earlier = snapshots.block_before(conn, hotkey, rules.netuid, rules.from_block)
    before = [] if earlier is None else snapshots.at_block(conn, hotkey, rules.netuid, earlier)
    return (
        stakes.moments(rows, valued=rules.netuid is None),
        next(iter(stakes.moments(before, valued=False)), None),
    )


def _one_by_one(conn: sa.Connection, hotkey: str, rules: Rules, terms: Terms, interval: int | None) -> Weights:
    range_, before = moments(conn, hotkey, rules)
    return weights.weigh(rules, range_, before, terms, interval=interval)


def _adds_up(conn: sa.Connection, hotkey: str, rules: Rules) -> bool:
    """Whether the sums from the first snapshot on are those of the range: for the growth of the owner's stake on all
    subnets a range looks no further back than the snapshot before it, which may lack a subnet that there was once."""
    if rules.method != "accrual" or rules.netuid is not None:
        return True
    earlier = snapshots.block_before(conn, hotkey, None, rules.from_block)
    if earlier is None:
        return True
    known = {netuid for netuid, _, _ in snapshots.digests(conn, hotkey, None, earlier, earlier)}
    return set(snapshots.netuids_before(conn, hotkey, rules.from_block)) <= known


def _sum_up(
    conn: sa.Connection, hotkey: str, rules: Rules, terms: Terms, blocks: Sequence[int], names: dict[str, int]
) -> tuple[Running, Running]:
    """Add the weights of each stretch without a change of terms to the names; return the sums before and after."""
    scope = Scope(hotkey, rules.netuid)
    begins = _begins(blocks, terms if rules.by == "users" or terms.policies else Terms())
    by_time = rules.method == "stake-time"
    lower = blocks[0] + 1 if by_time else blocks[0]  # the first snapshot of a range stands for the blocks since `from`
    states = sums.at(conn, scope, [lower, *begins[1:], blocks[-1] + 1], [rules.method])
    first = before = next(states)
    told: dict[int, str] = {}
    for begin, state in zip(begins, states, strict=True):
        if missing := set(state.ids.tolist()) - told.keys():
            told |= snapshots.addresses(conn, missing)
        start = None
        if by_time and begin == blocks[0]:
            start = running.begun([rules.method], valued=scope.valued)
            start.last = rules.from_block - 1
        for name, weight in _stretch(conn, scope, rules, terms, begin, before, state, start, told).items():
            names[name] = names.get(name, 0) + weight
        before = state
    return first, before


def _stretch(
    conn: sa.Connection,
    scope: Scope,
    rules: Rules,
    terms: Terms,
    begin: int,
    before: Running,
    after: Running,
    start: Running | None,
    told: dict[int, str],
) -> dict[str, int]:
    """name -> weight of the snapshots from `begin` up to where the sums `after` stand."""
    view, marked = policies.in_force(terms.policies, begin), dict[str, int]()
    addresses = [told[number] for number in after.ids.tolist()]
    limits: dict[str, tuple[int, int | None]] = {}
    if view.limit_stake:
        owners = terms.owners_at(begin) if rules.by == "users" else {address: address for address in addresses}
        limits = weights.limits_of(view, policies.accounts(rules.by, terms, begin), owners.values())
    assert after.last is not None, "a stretch without a snapshot"
    if limits:
        capped, order = columns.capped(start or before, after.ids, addresses, owners, limits)
        for reading in sums.readings(conn, scope, begin, after.last + 1):
            capped.feed(reading)
        column, ids, marked = columns.of_capped(capped.columns[rules.method], capped, order)
    else:
        column, ids = after.since(before, rules.method), after.ids
        if start is not None:
            for reading in sums.readings(conn, scope, begin, begin + 1):
                start.feed(reading)
            wide.add(column, start.spread_to(after, rules.method))
    column, ids = _with_any(column, ids)
    if rules.method == "stake-time":
        column = wide.times(column, TIME_ONE, len(column) + 1)
        marked = {name: weight * TIME_ONE for name, weight in marked.items()}
    return columns.stretch_names(rules, begin, [told[number] for number in ids.tolist()], column, marked, terms)


def _with_any(column: Column, ids: Ids) -> tuple[Column, Ids]:
    there = column.any(axis=0)
    return (column, ids) if there.all() else (column[:, there], ids[there])


def _begins(blocks: Sequence[int], terms: Terms) -> list[int]:
    """The first block of each stretch of snapshots during which no term changes."""
    passed = np.searchsorted(np.array(terms.edges(), dtype=np.int64), np.array(blocks, dtype=np.int64), side="right")
    return [blocks[place] for place in np.flatnonzero(np.diff(passed, prepend=-1)).tolist()]
