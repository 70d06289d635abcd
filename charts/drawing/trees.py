"""A referral tree put in order for drawing: who hangs below whom, and what had to be left out."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from charts.drawing.labels import clean
from valtrac.reports.model.statistics import Flow, ReferralTree, Share

Below = Mapping[str, Sequence[Flow]]


@dataclass(slots=True)
class Node:
    """One row of the drawing. flow: to the one above, None at the top.

    again: somebody who stands elsewhere too, with everyone below there. more: so many below are left out.
    """

    name: str
    share: Share | None
    flow: Flow | None
    depth: int
    again: bool = False
    more: int = 0
    below: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees, the largest first. shown, left_out: how many names are in the drawing and how many are not."""

    tops: list[Node]
    shown: int
    left_out: int


def planted(tree: ReferralTree, *, most: int, deepest: int) -> Forest:
    """The tree with at most so many names and levels: the branches with the largest flows first."""
    below: dict[str, list[Flow]] = {}
    for flow in tree.flows:
        below.setdefault(flow.referrer, []).append(flow)
    ends = (name for flow in tree.flows for name in (flow.referrer, flow.referee))
    everyone = list(dict.fromkeys([*tree.shares, *ends]))
    for flows in below.values():
        flows.sort(key=lambda flow: (-flow.percent, flow.referee))
    size = {name: flows[0].percent for name, flows in below.items()}  # of the largest branch to each
    tops = [Node(name, tree.shares.get(name), None, 0) for name in _tops(everyone, below)]
    waiting = [(-size.get(node.name, 0.0), number, node) for number, node in enumerate(tops)]
    heapq.heapify(waiting)
    drawn, number = set[str](), len(tops)
    while waiting and len(drawn) < most:
        _, _, node = heapq.heappop(waiting)
        node.again = node.name in drawn
        drawn.add(node.name)
        if node.depth + 1 < deepest and not node.again:
            for flow in below.get(node.name, ()):
                child = Node(flow.referee, tree.shares.get(flow.referee), flow, node.depth + 1)
                node.below.append(child)
                number += 1
                heapq.heappush(waiting, (-flow.percent, number, child))
    left = {id(node) for _, _, node in waiting}
    kept = [top for top in tops if id(top) not in left]
    for node, _ in list(walk(kept)):
        _close(node, left, below, drawn)
    kept.sort(key=lambda node: (-size.get(node.name, 0.0), node.name))
    return Forest(kept, len(drawn), len(everyone) - len(drawn))


def walk(tops: Sequence[Node]) -> Iterator[tuple[Node, list[bool]]]:
    """Every node from above to below; with it, for each level down to its own, whether that branch ends there."""
    waiting: list[tuple[Node, list[bool]]] = [(top, []) for top in reversed(tops)]
    while waiting:
        node, lasts = waiting.pop()
        yield node, lasts
        last = len(node.below) - 1
        waiting += [(node.below[number], [*lasts, number == last]) for number in range(last, -1, -1)]


def label(node: Node) -> str:
    """The name of a node."""
    return clean(node.share.name if node.share is not None else node.name)


def _close(node: Node, left: set[int], below: Below, drawn: set[str]) -> None:
    """Take out what did not come to be drawn, and count it with all that is below."""
    if node.again:
        return
    node.below = [child for child in node.below if id(child) not in left]
    there = {child.name for child in node.below}
    missing = [flow.referee for flow in below.get(node.name, ()) if flow.referee not in there]
    node.more = len(_reached(missing, below) - drawn)


def _tops(everyone: Sequence[str], below: Below) -> list[str]:
    """Those without a referrer; and of each circle, which nobody reaches from outside, its first."""
    referees = {flow.referee for flows in below.values() for flow in flows}
    tops = [name for name in everyone if name not in referees]
    reached = _reached(tops, below)
    for name in everyone:
        if name not in reached:
            tops.append(name)
            reached |= _reached([name], below)
    return tops


def _reached(names: Sequence[str], below: Below) -> set[str]:
    """The names and everyone below them."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += [flow.referee for flow in below.get(here, ())]
    return reached
