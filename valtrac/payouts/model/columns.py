"""The weights of a stretch of snapshots in columns: from addresses to people, referral taxes, policies.

`weights.py` says the same name by name; here everyone is done at once, and names come in at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from valtrac.core import wide
from valtrac.core.wide import Column
from valtrac.payouts.model.plans import UNASSIGNED, Rules
from valtrac.people.model import policies
from valtrac.people.model.cascade import cascade
from valtrac.people.model.policies import MARK, accounts
from valtrac.people.model.terms import Terms
from valtrac.snapshots.model.running import Ids, Reading, Running

_ALL_OF_IT = 2**64 - 1


def stretch_names(
    rules: Rules, block: int, addresses: Sequence[str], weights: Column, marked: Mapping[str, int], terms: Terms
) -> dict[str, int]:
    """name -> weight that snapshots without a change of terms between them give, as `weights.stretch_weights` has it.

    weights: of the addresses, wide; marked: name + MARK -> weight of stake that does not count.
    """
    view = policies.in_force(terms.policies, block)
    unassigned = 0
    if rules.by == "users":
        owners, place = terms.owners_at(block), dict[str, int]()
        groups = (place.setdefault(owners.get(address, UNASSIGNED), len(place)) for address in addresses)
        base = wide.grouped(weights, np.fromiter(groups, dtype=np.int64, count=len(addresses)), len(place))
        if UNASSIGNED in place:
            (unassigned,) = wide.to_ints(base[:, [place[UNASSIGNED]]])
            base = np.delete(base, place.pop(UNASSIGNED), axis=1)
        taxed, names = cascade(base, list(place), terms.referrals_at(block))
        sums = dict(zip(names, wide.to_ints(taxed), strict=True))
    else:
        sums = dict(zip(addresses, wide.to_ints(weights), strict=True))
    if view.values:
        sums = policies.withhold({**sums, **marked}, view, accounts(rules.by, terms, block))
    return {**sums, UNASSIGNED: unassigned} if unassigned else sums


@dataclass(slots=True)
class Capped(Running):
    """Sums in which the stake of some names counts only within their limits; the rest is summed up behind them.

    members: the places of their addresses, name by name, of each the last address first; starts: where each name begins
    in these; least, most: the limits of each name; marks: the places where what does not count is summed up.
    """

    members: Ids | None = None
    starts: Ids | None = None
    least: Column | None = None
    most: Column | None = None
    marks: Ids | None = None

    def spread(self, reading: Reading) -> Column:
        """The stakes that count, in the order of `ids`. Raises OverflowError where stakes are too large to be added in
        one word, or are valued in TAO."""
        if reading.stakes.shape[0] > 1 or wide.total(reading.stakes) >= 2**63:
            raise OverflowError
        stakes = Running.spread(self, reading)
        if self.members is None or self.starts is None or self.least is None or self.most is None:
            return stakes
        own = stakes[0, self.members]
        whole = np.add.reduceat(own, self.starts)
        over = np.where(whole < self.least, whole, np.where(whole > self.most, whole - self.most, np.uint64(0)))
        lengths = np.diff(self.starts, append=len(own))
        passed = np.cumsum(own) - own
        passed -= np.repeat(passed[self.starts], lengths)
        of_each = np.repeat(over, lengths)
        stakes[0, self.members] -= np.where(of_each > passed, np.minimum(of_each - passed, own), np.uint64(0))
        stakes[0, self.marks] = over
        return stakes


def capped(
    state: Running,
    ids: Ids,
    addresses: Sequence[str],
    owners: Mapping[str, str],
    limits: Mapping[str, tuple[int, int | None]],
) -> tuple[Capped, list[str]]:
    """(sums that begin with no weight where another state stands, the names in the order of their marks).

    ids, addresses: everyone whom the snapshots to come have. owners: address -> name; limits: name -> (least, most).
    """
    sums = Capped(
        state.valued,
        {method: wide.zeros(len(column), 0) for method, column in state.columns.items()},
        last=state.last,
        levels=dict(state.levels),
    )
    order = np.argsort(ids)
    sums.admit(ids[order])
    place = {address: at for at, address in enumerate(addresses[at] for at in order.tolist())}
    held: dict[str, list[str]] = {}
    for address, name in owners.items():
        if name in limits and address in place:
            held.setdefault(name, []).append(address)
    names = list(held)
    if names:
        members = [place[address] for name in names for address in sorted(held[name], reverse=True)]
        sums.members = np.array(members, dtype=np.int64)
        sums.starts = np.cumsum([0, *(len(held[name]) for name in names[:-1])])
        sums.least = np.array([min(limits[name][0], _ALL_OF_IT) for name in names], dtype=np.uint64)
        most = (limits[name][1] for name in names)
        sums.most = np.array([_ALL_OF_IT if units is None else min(units, _ALL_OF_IT) for units in most], np.uint64)
        sums.marks = np.arange(len(sums.ids), len(sums.ids) + len(names))
        sums.ids = np.concatenate([sums.ids, -1 - np.arange(len(names))])
        for method, column in sums.columns.items():
            sums.columns[method] = np.concatenate([column, wide.zeros(len(column), len(names))], axis=1)
    return sums, names


def of_capped(sums: Column, state: Capped, names: Sequence[str]) -> tuple[Column, Ids, dict[str, int]]:
    """(weights of the addresses, their numbers, name + MARK -> weight of what does not count)."""
    if state.marks is None:
        return sums, state.ids, {}
    marked = zip(names, wide.to_ints(sums[:, state.marks]), strict=True)
    rest = state.ids >= 0
    return sums[:, rest], state.ids[rest], {name + MARK: weight for name, weight in marked if weight}
