"""The referral cascade over columns, everyone of one depth at once; `referrals.cascade` is the same by name."""

from __future__ import annotations

import numpy as np

from valtrac.core import wide
from valtrac.core.wide import Column
from valtrac.people.model.referrals import Tree, depths


def cascade(base: Column, names: list[str], tree: Tree) -> tuple[Column, list[str]]:
    """(weights after referral tax, the names that they belong to).

    base: wide weights of the names, each once. Users of the tree may be missing: nothing. The names come back with
    those of the tree behind them. Raises ReferralCycle, as `depths` does.
    """
    depth = depths(tree)
    place = {name: at for at, name in enumerate(names)}
    names = [*names, *(name for name in depth if name not in place)]
    place = {name: at for at, name in enumerate(names)}
    weights = np.concatenate([base, wide.zeros(len(base), len(names) - base.shape[1])], axis=1)
    referees = np.fromiter((place[name] for name in tree), dtype=np.int64, count=len(tree))
    referrers = np.fromiter((place[above] for above, _ in tree.values()), dtype=np.int64, count=len(tree))
    rates = np.fromiter((rate for _, rate in tree.values()), dtype=np.uint64, count=len(tree))
    layers = np.fromiter((depth[name] for name in tree), dtype=np.int64, count=len(tree))
    for layer in range(int(layers.max(initial=0)), 0, -1):  # whoever refers somebody of a layer is in the one above
        here = np.flatnonzero(layers == layer)
        owed = weights[:, referees[here]]
        taxes = wide.divided(wide.scaled(owed, rates[here]), 10_000)
        wide.subtract(owed, taxes)
        weights[:, referees[here]] = owed
        collectors, groups = np.unique(referrers[here], return_inverse=True)
        collected = weights[:, collectors]
        wide.add(collected, wide.grouped(taxes, groups.astype(np.int64), len(collectors)))
        weights[:, collectors] = collected
    return weights, names
