"""The referral cascade: nothing is lost, nothing depends on the order of the input, no circle is ever closed."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.people.model.referrals import ReferralCycle, Tree, cascade, cycle_with, depths, tree_rows, uncovered
from valtrac.people.model.terms import AddressTerm, PayoutTerm, RateTerm, ReferralTerm, Span, Terms, UserTerm

RATES = st.one_of(st.sampled_from([0, 1, 9_999, 10_000]), st.integers(0, 10_000))


@st.composite
def trees(draw: st.DrawFn, most: int = 12) -> Tree:
    """A forest: each name may be referred by one that comes before it in a shuffled order."""
    names = draw(st.permutations([f"u{n}" for n in range(draw(st.integers(1, most)))]))
    tree = {}
    for place, name in enumerate(names[1:], 1):
        above = draw(st.one_of(st.none(), st.integers(0, place - 1)))
        if above is not None:
            tree[name] = (names[above], draw(RATES))
    return tree


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, int], Tree]:
    tree = draw(trees())
    names = st.sampled_from([f"u{n}" for n in range(14)])
    base = draw(st.dictionaries(names, st.integers(0, 50) | st.integers(0, 10**40)))
    return base, tree


def exact(base: dict[str, int], tree: Tree) -> dict[str, Fraction]:
    """Each person's part by following every share upwards on its own, in fractions."""
    out = {name: Fraction(0) for name in {*base, *tree, *(referrer for referrer, _ in tree.values())}}
    for name, weight in base.items():
        share, holder = Fraction(weight), name
        while holder in tree:
            referrer, rate = tree[holder]
            out[holder] += share * (10_000 - rate) / 10_000
            share, holder = share * rate / 10_000, referrer
        out[holder] += share
    return out


@given(worlds())
def test_the_cascade_neither_loses_nor_makes_a_unit(world: tuple[dict[str, int], Tree]) -> None:
    base, tree = world
    after, taxes = cascade(base, tree)
    assert sum(after.values()) == sum(base.values())
    assert all(weight >= 0 for weight in after.values())
    assert all(tax.units > 0 for tax in taxes)


@given(worlds(), st.randoms())
def test_the_order_of_the_input_changes_nothing(world: tuple[dict[str, int], Tree], random: Random) -> None:
    base, tree = world
    turned_base = dict(random.sample(list(base.items()), len(base)))
    turned_tree = dict(random.sample(list(tree.items()), len(tree)))
    assert cascade(turned_base, turned_tree) == cascade(base, tree)


@given(worlds())
def test_it_agrees_with_exact_fractions_within_a_unit_for_each_referee(world: tuple[dict[str, int], Tree]) -> None:
    base, tree = world
    after, _ = cascade(base, tree)
    for name, part in exact(base, tree).items():
        assert abs(after.get(name, 0) - part) <= len(tree)


@given(worlds())
def test_the_input_is_left_as_it_was(world: tuple[dict[str, int], Tree]) -> None:
    base, tree = world
    copies = dict(base), dict(tree)
    cascade(base, tree)
    assert (base, tree) == copies


def test_at_rate_zero_the_referee_keeps_all() -> None:
    assert cascade({"bob": 7}, {"bob": ("ann", 0)}) == ({"bob": 7}, [])


def test_at_the_full_rate_everything_goes_up_to_the_top() -> None:
    tree = {"bob": ("ann", 10_000), "cat": ("bob", 10_000)}
    assert cascade({"ann": 1, "bob": 2, "cat": 4}, tree)[0] == {"ann": 7, "bob": 0, "cat": 0}


def test_a_tax_is_taken_of_what_the_referee_collected_too() -> None:
    after, _ = cascade({"ann": 0, "bob": 100, "cat": 100}, {"bob": ("ann", 5_000), "cat": ("bob", 2_000)})
    assert after == {"ann": 60, "bob": 60, "cat": 80}


def test_a_tax_is_rounded_down() -> None:
    assert cascade({"bob": 3}, {"bob": ("ann", 5_000)})[0] == {"bob": 2, "ann": 1}


def test_the_tenth_layer_comes_before_the_second() -> None:
    chain = {f"n{n}": (f"n{n - 1}", 5_000) for n in range(1, 21)}
    after, taxes = cascade({"n20": 2**20}, chain)
    assert [tax.referee for tax in taxes] == [f"n{n}" for n in range(20, 0, -1)]
    assert after == {f"n{n}": 2 ** (n - 1) if n else 1 for n in range(21)}


def test_a_chain_longer_than_pythons_stack_is_walked() -> None:
    chain = {f"{n:05}": (f"{n - 1:05}", 10_000) for n in range(1, 5_000)}
    assert cascade({"04999": 3}, chain)[0]["00000"] == 3
    assert [row.depth for row in tree_rows(chain, 1)] == list(range(5_000))


def test_thousands_of_users_in_one_forest_keep_the_sum() -> None:
    tree = {f"u{n}": (f"u{n // 3}", (n * 37) % 10_001) for n in range(10, 10_000)}
    base = {f"u{n}": n * 10**20 for n in range(10_000)}
    after, _ = cascade(base, tree)
    assert sum(after.values()) == sum(base.values())


# -- depths and circles --------------------------------------------------------------------


@given(trees())
def test_a_referee_is_one_deeper_than_its_referrer(tree: Tree) -> None:
    found = depths(tree)
    assert all(found[referee] == found[referrer] + 1 for referee, (referrer, _) in tree.items())
    assert all(depth == 0 for name, depth in found.items() if name not in tree)


def test_a_circle_is_named_with_everyone_on_the_way() -> None:
    with pytest.raises(ReferralCycle) as caught:
        depths({"dan": ("ann", 1), "ann": ("bob", 1), "bob": ("cat", 1), "cat": ("ann", 1)})
    assert caught.value.path == ["ann", "bob", "cat", "ann"]
    assert str(caught.value) == "ann -> bob -> cat -> ann"


def referral(referrer: str, referee: str, from_block: int = 0, until_block: int | None = None) -> ReferralTerm:
    return ReferralTerm(referee, referrer, Span(from_block, until_block))


def test_who_refers_himself_closes_the_shortest_circle() -> None:
    assert cycle_with([], referrer="ann", referee="ann", from_block=5) == (5, ["ann", "ann"])


def test_the_path_of_a_circle_is_read_from_referrer_to_referee() -> None:
    terms = [referral("ann", "bob"), referral("bob", "cat")]
    assert cycle_with(terms, referrer="cat", referee="ann", from_block=0) == (0, ["ann", "bob", "cat", "ann"])
    assert cycle_with(terms, referrer="ann", referee="dan", from_block=0) is None


def test_a_circle_that_would_only_be_closed_later_is_found_with_its_block() -> None:
    terms = [referral("ann", "bob", 900)]
    assert cycle_with(terms, referrer="bob", referee="ann", from_block=100) == (900, ["ann", "bob", "ann"])


def test_a_referral_that_ended_before_closes_no_circle() -> None:
    terms = [referral("ann", "bob", 0, 500), referral("ann", "cat", 700, 700)]
    assert cycle_with(terms, referrer="bob", referee="ann", from_block=500) is None
    assert cycle_with(terms, referrer="cat", referee="ann", from_block=500) is None
    assert cycle_with(terms, referrer="bob", referee="ann", from_block=499) is not None


@st.composite
def histories(draw: st.DrawFn) -> list[ReferralTerm]:
    """Referrals over blocks 0..9, one referrer per referee at a time, entered only where no circle is closed."""
    names, terms = ["ann", "bob", "cat", "dan", "eve"], list[ReferralTerm]()
    for _ in range(draw(st.integers(0, 12))):
        referrer, referee = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        start = draw(st.integers(0, 9))
        open_ = next((t for t in terms if t.referee == referee and t.span.until_block is None), None)
        if open_ is not None:
            end = max(open_.span.from_block, draw(st.integers(0, 9)))
            terms[terms.index(open_)] = ReferralTerm(referee, open_.referrer, Span(open_.span.from_block, end))
        start = max(
            [
                start,
                *(
                    t.span.until_block
                    for t in terms
                    if t.referee == referee and not t.span.empty and t.span.until_block is not None
                ),
            ]
        )
        if cycle_with(terms, referrer=referrer, referee=referee, from_block=start) is None:
            terms.append(referral(referrer, referee, start))
    return terms


@given(histories())
def test_no_history_that_was_checked_holds_a_circle_at_any_block(terms: list[ReferralTerm]) -> None:
    for block in range(12):
        depths({term.referee: (term.referrer, 0) for term in terms if term.span.holds(block)})


@given(histories(), st.sampled_from(["ann", "bob", "cat", "dan"]), st.sampled_from(["ann", "bob", "eve"]))
def test_a_referral_is_only_refused_where_some_block_would_hold_a_circle(
    terms: list[ReferralTerm], referrer: str, referee: str
) -> None:
    others = [term for term in terms if term.referee != referee]
    found = cycle_with(others, referrer=referrer, referee=referee, from_block=3)
    circles = []
    for block in range(3, 12):
        tree = {term.referee: (term.referrer, 0) for term in others if term.span.holds(block)}
        try:
            depths({**tree, referee: (referrer, 0)})
        except ReferralCycle:
            circles.append(block)
    assert (found[0] if found else None) == (circles[0] if circles else None)


# -- the tree as it is shown -----------------------------------------------------------------


def test_the_tree_is_read_depth_first_and_by_name() -> None:
    tree = {"dan": ("ann", 0), "bob": ("ann", 0), "cat": ("bob", 0), "gia": ("eve", 0)}
    assert [(row.depth, row.name) for row in tree_rows(tree, 1)] == [
        (0, "ann"),
        (1, "bob"),
        (2, "cat"),
        (1, "dan"),
        (0, "eve"),
        (1, "gia"),
    ]


def test_a_row_tells_what_a_person_keeps_collects_gives_and_ends_with() -> None:
    ann, bob, cat = tree_rows({"bob": ("ann", 5_000), "cat": ("bob", 2_000)}, 100)
    assert (ann.rate_bps, ann.keeps_units, ann.collects_units, ann.gives_units, ann.ends_with_units) == (
        None,
        100,
        60,
        0,
        160,
    )
    assert (bob.rate_bps, bob.keeps_units, bob.collects_units, bob.gives_units, bob.ends_with_units) == (
        5_000,
        50,
        20,
        60,
        60,
    )
    assert (cat.rate_bps, cat.keeps_units, cat.collects_units, cat.gives_units, cat.ends_with_units) == (
        2_000,
        80,
        0,
        20,
        80,
    )


@given(trees(), st.integers(0, 10**12))
def test_the_rows_sum_to_what_everyone_brought(tree: Tree, each: int) -> None:
    rows = tree_rows(tree, each)
    assert {row.name for row in rows} == set(depths(tree))
    assert sum(row.ends_with_units for row in rows) == each * len(rows)
    assert all(row.ends_with_units == each + row.collects_units - row.gives_units for row in rows)


# -- stretches and terms -----------------------------------------------------------------------


@given(st.lists(st.builds(Span, st.integers(0, 20), st.none() | st.integers(0, 20)), max_size=5), st.integers(0, 20))
def test_what_is_uncovered_is_exactly_where_no_span_holds(spans: list[Span], start: int) -> None:
    gaps = uncovered(spans, start)
    for block in range(30):
        covered = any(span.holds(block) for span in spans)
        assert sum(gap.holds(block) for gap in gaps) == (block >= start and not covered)


def test_a_term_holds_from_its_first_block_up_to_but_not_at_its_end() -> None:
    span = Span(10, 20)
    assert [span.holds(block) for block in (9, 10, 19, 20)] == [False, True, True, False]
    assert Span(20, 20).empty
    assert not Span(20, 20).holds(20)


def world() -> Terms:
    return Terms(
        users=(
            UserTerm("ann", "user:1", Span()),
            UserTerm("bob", "user:2", Span(0, 100)),
            UserTerm("cat", "user:3", Span()),
        ),
        addresses=(AddressTerm("ann", "A", Span()), AddressTerm("bob", "B", Span(0, 200))),
        payouts=(
            PayoutTerm("ann", "A", Span(0, 50)),
            PayoutTerm("ann", "A2", Span(50)),
            PayoutTerm("bob", "B", Span(0, 100)),
        ),
        referrals=(ReferralTerm("bob", "ann", Span()), ReferralTerm("cat", "bob", Span())),
        rates=(
            RateTerm("ann", None, 1_000, Span(0, 60)),
            RateTerm("ann", None, 2_000, Span(60)),
            RateTerm("bob", None, 500, Span()),
            RateTerm("bob", "cat", 700, Span(10)),
        ),
    )


def test_an_address_of_a_user_who_has_ended_is_nobodys() -> None:
    assert world().owners_at(99) == {"A": "ann", "B": "bob"}
    assert world().owners_at(100) == {"A": "ann"}


def test_a_referral_acts_only_while_both_its_ends_take_part() -> None:
    assert world().referrals_at(99) == {"bob": ("ann", 2_000), "cat": ("bob", 700)}
    assert world().referrals_at(100) == {}


def test_the_rate_is_the_one_in_force_and_an_override_comes_first() -> None:
    assert world().referrals_at(5) == {"bob": ("ann", 1_000), "cat": ("bob", 500)}


def test_a_user_who_has_ended_is_paid_where_it_was_paid_last() -> None:
    assert [world().payout_address("ann", block) for block in (49, 50)] == ["A", "A2"]
    assert world().payout_address("bob", 500) == "B"
    assert world().payout_address("cat", 0) is None
    assert world().person_of("cat") == "user:3"


def test_between_two_edges_nothing_changes() -> None:
    assert world().edges() == [0, 10, 60, 100, 200]
