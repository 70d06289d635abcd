"""The referral cascade: who gives what part to whom, from the deepest referee upwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from valtrac.people.model.terms import ReferralTerm, Span

Tree = Mapping[str, tuple[str, int]]
"""referee -> (referrer, rate in basis points)."""


class ReferralCycle(ValueError):
    """Someone would refer himself in the end; `path` names everyone on the way, first = last."""

    def __init__(self, path: list[str]) -> None:
        super().__init__(" -> ".join(path))
        self.path = path


@dataclass(frozen=True, slots=True)
class Tax:
    """What one referee gave to its referrer, in the unit of the weights it was taken from."""

    referee: str
    referrer: str
    rate_bps: int
    units: int


def depths(tree: Tree) -> dict[str, int]:
    """Everyone in the tree -> number of referrers above. Raises ReferralCycle, with the path."""
    known: dict[str, int] = {}
    for start in tree:
        path: list[str] = []
        seen, name = set[str](), start
        while name in tree and name not in known:
            if name in seen:
                raise ReferralCycle([*path[path.index(name) :], name])
            path.append(name)
            seen.add(name)
            name = tree[name][0]
        depth = known.setdefault(name, 0)
        for name in reversed(path):
            depth += 1
            known[name] = depth
    return known


def cascade(base: Mapping[str, int], tree: Tree) -> tuple[dict[str, int], list[Tax]]:
    """Weights after referral tax, and every tax on the way.

    Args:
        base: user -> weight >= 0 of its own addresses. Users of the tree may be missing: zero.
        tree: without cycles.
    Returns:
        user -> weight (the sum is the sum of `base`), taxes in the order in which they were taken.
    Deepest referee first, by name within a depth: tax = floor(x * rate / 10000), x being base plus
    what it collected itself; the referrer gets the tax and the rest stays.
    Source: ValTrac's layered referral structure, with layers that follow from the tree.
    """
    depth = depths(tree)
    weights, taxes = dict(base), []
    for referee in sorted(tree, key=lambda name: (-depth[name], name)):
        referrer, rate_bps = tree[referee]
        tax = weights.get(referee, 0) * rate_bps // 10_000
        if tax:
            weights[referee] -= tax
            weights[referrer] = weights.get(referrer, 0) + tax
            taxes.append(Tax(referee, referrer, rate_bps, tax))
    return weights, taxes


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One person of the tree, where each person brings the same.

    depth: number of referrers above. rate_bps: what the referrer takes, None without referrer.
    keeps_units: what is left of its own share. collects_units: what its referees hand up to it.
    gives_units: what it hands up itself, of both. ends_with_units: what it has in the end.
    """

    depth: int
    name: str
    referrer: str | None
    rate_bps: int | None
    keeps_units: int
    collects_units: int
    gives_units: int
    ends_with_units: int


def tree_rows(tree: Tree, each_units: int) -> list[TreeRow]:
    """Everyone in the tree, depth first and by name, when each brings `each_units`.

    What they end with sums to what they brought. Raises ReferralCycle.
    """
    depth = depths(tree)
    after, taxes = cascade(dict.fromkeys(depth, each_units), tree)
    collects, gives, below = dict.fromkeys(depth, 0), dict.fromkeys(depth, 0), dict[str, list[str]]()
    for tax in taxes:
        collects[tax.referrer] += tax.units
        gives[tax.referee] += tax.units
    for referee in sorted(tree, reverse=True):
        below.setdefault(tree[referee][0], []).append(referee)
    rows, waiting = [], sorted((name for name in depth if name not in tree), reverse=True)
    while waiting:  # a stack, not recursion: a chain may be longer than Python's
        name = waiting.pop()
        referrer, rate_bps = tree.get(name, (None, None))
        rows.append(
            TreeRow(
                depth[name],
                name,
                referrer,
                rate_bps,
                each_units - each_units * (rate_bps or 0) // 10_000,
                collects[name],
                gives[name],
                after[name],
            )
        )
        waiting.extend(below.get(name, ()))
    return rows


def cycle_with(
    referrals: Iterable[ReferralTerm],
    *,
    referrer: str,
    referee: str,
    from_block: int,
) -> tuple[int, list[str]] | None:
    """Whether one more referral, open from `from_block`, would close a circle at any block.

    Returns (first such block, the path, each referring the next, first = last), or None. A circle
    comes into being where the youngest of its referrals begins, so those blocks are looked at.
    """
    if referrer == referee:
        return from_block, [referee, referee]
    history: dict[str, list[ReferralTerm]] = {}
    starts = {from_block}
    for term in referrals:
        if not term.span.empty:
            history.setdefault(term.referee, []).append(term)
            starts.add(max(from_block, term.span.from_block))
    for block in sorted(starts):
        path: list[str] = []
        name: str | None = referrer
        while name is not None and name not in path[-1:]:
            path.append(name)
            if name == referee:
                return block, [*reversed(path), referee]
            name = next((term.referrer for term in history.get(name, ()) if term.span.holds(block)), None)
    return None


def uncovered(spans: Iterable[Span], from_block: int) -> list[Span]:
    """The stretches from `from_block` on that none of the spans covers; the last may be without end."""
    gaps, block = [], from_block
    for span in sorted((span for span in spans if not span.empty), key=lambda span: span.from_block):
        if span.from_block > block:
            gaps.append(Span(block, span.from_block))
        if span.until_block is None:
            return gaps
        block = max(block, span.until_block)
    return [*gaps, Span(block, None)]
