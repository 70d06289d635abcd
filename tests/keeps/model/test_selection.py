"""The set that is saved: the worked examples, and every small case beside all sets there are."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from valtrac.keeps.model.selection import Candidate, Choice, Left, choose

ETH = 10**18
PLENTY = 10**24


def candidate(name: str, btc: float, value: float, *, called: bool = False) -> Candidate:
    """A lot of whole or half bitcoins; active ones cost half a thousandth more."""
    lot = int(btc * 1000) * ETH // 1000
    return Candidate(name, lot if called else lot + lot // 2000, 8 * ETH // 100, int(value * 1000) * ETH // 1000)


def test_danger_goes_first_and_is_sent_by_urgency() -> None:
    danger = [candidate("k4", 1, 18.5), candidate("k2", 5, 93.333), candidate("k3", 5, 196.666)]
    low = [candidate("k5", 1, 21), candidate("k1", 10, 213.333)]
    chosen = choose([danger, low], tbtc=12 * ETH, ether=PLENTY)
    assert chosen.taken == ("k4", "k2", "k3") and chosen.cost == 11_005_500_000_000_000_000
    assert [left.name for left in chosen.left] == ["k5", "k1"]
    assert choose([danger, low], tbtc=11 * ETH, ether=PLENTY).taken == ("k2", "k3")
    assert choose([danger, low], tbtc=55 * ETH // 10, ether=PLENTY).taken == ("k3",)


def test_what_is_short_is_said_and_the_rest_goes_on() -> None:
    danger = [candidate("ten", 10, 600), candidate("five at 124", 5, 300)]
    low = [candidate("five at 126", 5, 280), candidate("one", 1, 60)]
    chosen = choose([danger, low], tbtc=10 * ETH, ether=PLENTY)
    assert chosen.taken == ("five at 124", "one")
    assert 10 * ETH - chosen.cost == 3_997_000_000_000_000_000
    short = {left.name: left.short for left in chosen.left}
    assert short == {"ten": 5_000_000_000_000_000, "five at 126": 5_000_000_000_000_000}


def test_ten_tbtc_are_one_ten_two_fives_or_ten_ones_in_courtesy_call_alone() -> None:
    for lots, active_taken, active_left in (
        ([10], 0, 10 * ETH),
        ([5, 5], 1, 4_997_500_000_000_000_000),
        ([1] * 10, 9, 995_500_000_000_000_000),
        ([5] + [1] * 5, 5, 995_500_000_000_000_000),
        ([5] + [1] * 4 + [0.5, 0.5], 6, 495_250_000_000_000_000),
    ):
        for called in (True, False):
            group = [candidate(str(n), lot, lot, called=called) for n, lot in enumerate(lots)]
            chosen = choose([group], tbtc=10 * ETH, ether=PLENTY)
            taken, left = (len(lots), 0) if called else (active_taken, active_left)
            assert (len(chosen.taken), 10 * ETH - chosen.cost) == (taken, left), (lots, called)
        every = choose(
            [[candidate(str(n), lot, lot) for n, lot in enumerate(lots)]], tbtc=10_005 * ETH // 1000, ether=PLENTY
        )
        assert (len(every.taken), every.cost) == (len(lots), 10_005 * ETH // 1000)


def test_ether_is_short_too() -> None:
    group = [candidate(str(n), 1, n + 1, called=True) for n in range(5)]
    chosen = choose([group], tbtc=100 * ETH, ether=17 * ETH // 100)
    assert chosen.taken == ("3", "4")
    assert chosen.left == (Left("0", 0), Left("1", 0), Left("2", 0))
    assert choose([[]], tbtc=1, ether=1) == Choice((), (), 0, 0, 0)


def test_of_equal_sets_the_more_urgent_is_taken() -> None:
    group = [candidate(name, 1, 20) for name in ("first", "second", "third")]
    assert choose([group], tbtc=2 * ETH, ether=PLENTY).taken == ("first",)


def test_two_hundred_keeps_are_chosen_from_at_once() -> None:
    lots = (0.01, 0.1, 0.2, 0.5, 1, 5, 10)
    group = [candidate(str(n), lots[n % 7], lots[n % 7] * 70 * (1 + n % 13 / 100)) for n in range(200)]
    chosen = choose([group], tbtc=60 * ETH, ether=3 * ETH)
    assert chosen.cost <= 60 * ETH and chosen.ether <= 3 * ETH and len(chosen.taken) > 5


figures = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))


@given(st.lists(figures, max_size=7), st.integers(0, 20), st.integers(0, 20))
def test_no_other_set_is_worth_more(rows: list[tuple[int, int, int]], tbtc: int, ether: int) -> None:
    group = [Candidate(str(n), *row) for n, row in enumerate(rows)]
    chosen = choose([group], tbtc=tbtc, ether=ether)
    best = 0
    for picked in product((False, True), repeat=len(group)):
        some = [each for each, taken in zip(group, picked, strict=True) if taken]
        if sum(each.cost for each in some) <= tbtc and sum(each.ether for each in some) <= ether:
            best = max(best, sum(each.value for each in some))
    assert chosen.value == best
    taken = [each for each in group if each.name in chosen.taken]
    assert (chosen.cost, chosen.ether, chosen.value) == tuple(
        sum(getattr(each, name) for each in taken) for name in ("cost", "ether", "value")
    )
    assert chosen.cost <= tbtc and chosen.ether <= ether
    assert sorted([*chosen.taken, *(left.name for left in chosen.left)]) == sorted(each.name for each in group)
