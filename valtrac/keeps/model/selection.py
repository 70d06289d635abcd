"""Which keeps are saved with the TBTC and the ether at hand: the greatest value at risk, exactly. Pure; wei."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

MOST_STEPS = 200_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A keep that could be redeemed now. name: its deposit; cost: TBTC; ether: what its transactions reserve; value:
    what our operators would lose."""

    name: str
    cost: int
    ether: int
    value: int


@dataclass(frozen=True, slots=True)
class Left:
    """A keep that was not taken. short: the TBTC that it lacks: alone, where it costs more than its group had at hand;
    else beside those that were taken. 0: ether is what it lacks."""

    name: str
    short: int


@dataclass(frozen=True, slots=True)
class Choice:
    """taken: by urgency, as they are sent. left: the others, by urgency too. cost, ether, value: of those taken."""

    taken: tuple[str, ...]
    left: tuple[Left, ...]
    cost: int
    ether: int
    value: int


def choose(groups: Sequence[Sequence[Candidate]], *, tbtc: int, ether: int) -> Choice:
    """Of each group in turn, the most urgent first, the set of the greatest value that what is left bears.

    Within a group the candidates stand by urgency; of two that are alike in all the more urgent is taken. Exact for
    as many as one owner has; a group that would take too long gets the best set that was found by then.
    """
    taken, left, spent, reserved, worth = list[str](), list[Left](), 0, 0, 0
    for group in groups:
        there = tbtc - spent
        chosen = _best(group, there, ether - reserved)
        for place in sorted(chosen):
            each = group[place]
            taken.append(each.name)
            spent, reserved, worth = spent + each.cost, reserved + each.ether, worth + each.value
        for place, each in enumerate(group):
            if place not in chosen:
                at_hand = there if each.cost > there else tbtc - spent
                left.append(Left(each.name, max(0, each.cost - at_hand)))
    return Choice(tuple(taken), tuple(left), spent, reserved, worth)


class _Alike:
    """The candidates of a group that cost and reserve the same: some of them are always the most valuable ones."""

    def __init__(self, cost: int, ether: int, places: Sequence[int], group: Sequence[Candidate]) -> None:
        self.cost, self.ether = cost, ether
        self.places = sorted(places, key=lambda place: (-group[place].value, place))
        self.values = [0, *accumulate(group[place].value for place in self.places)]

    def most(self, tbtc: int, ether: int) -> int:
        """How many of them can be paid at once."""
        by_cost = tbtc // self.cost if self.cost else len(self.places)
        by_ether = ether // self.ether if self.ether else len(self.places)
        return min(len(self.places), by_cost, by_ether)


class _Bound:
    """The most that the candidates from some place on can be worth, were one of them cut in two; so that what cannot
    become the best is not gone into."""

    def __init__(self, rows: Sequence[tuple[int, int]]) -> None:
        """rows: (price, value), price of what the bound is for: TBTC or ether."""
        free = sum(value for price, value in rows if price == 0)
        priced = sorted((row for row in rows if row[0]), key=lambda row: Fraction(row[1], row[0]), reverse=True)
        self.prices = [0, *accumulate(price for price, _ in priced)]
        self.values = list(accumulate((value for _, value in priced), initial=free))

    def of(self, left: int) -> int:
        """With so much left to pay from."""
        whole = bisect_right(self.prices, left) - 1
        if whole == len(self.prices) - 1:
            return self.values[whole]
        price = self.prices[whole + 1] - self.prices[whole]
        value = self.values[whole + 1] - self.values[whole]
        return self.values[whole] + value * (left - self.prices[whole]) // price


class _Search:
    """The best set of a group: so many of each kind, kind by kind, the most valuable for its price first."""

    def __init__(self, group: Sequence[Candidate]) -> None:
        kinds = dict[tuple[int, int], list[int]]()
        for place, each in enumerate(group):
            kinds.setdefault((each.cost, each.ether), []).append(place)
        alike = [_Alike(cost, ether, places, group) for (cost, ether), places in kinds.items()]
        self.kinds = sorted(alike, key=lambda kind: Fraction(-kind.values[1], kind.cost or 1))
        self.bounds = []
        for number in range(len(self.kinds)):
            rows = [group[place] for kind in self.kinds[number:] for place in kind.places]
            self.bounds.append((_Bound([(r.cost, r.value) for r in rows]), _Bound([(r.ether, r.value) for r in rows])))
        self.counts: tuple[int, ...] = ()
        self.best, self.steps = -1, 0

    def go(self, tbtc: int, ether: int, value: int = 0, counts: tuple[int, ...] = ()) -> None:
        """Try every number of the next kind that can still become the best."""
        if len(counts) == len(self.kinds):
            if value > self.best:
                self.best, self.counts = value, counts
            return
        by_cost, by_ether = self.bounds[len(counts)]
        if value + min(by_cost.of(tbtc), by_ether.of(ether)) <= self.best or self.steps > MOST_STEPS:
            return
        self.steps += 1
        kind = self.kinds[len(counts)]
        for number in range(kind.most(tbtc, ether), -1, -1):
            spent, reserved = number * kind.cost, number * kind.ether
            self.go(tbtc - spent, ether - reserved, value + kind.values[number], (*counts, number))


def _best(group: Sequence[Candidate], tbtc: int, ether: int) -> set[int]:
    """The places of the best set of a group."""
    search = _Search(group)
    search.go(tbtc, ether)
    return {place for kind, number in zip(search.kinds, search.counts, strict=False) for place in kind.places[:number]}
