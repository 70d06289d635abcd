"""Referrals: one referrer each, one rate per referrer unless overridden, never a circle, never the paid past."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.people_world import everything, new_engine, paid_up_to, snapshot_at, spans, terms_of
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.people import referrals, users
from valtrac.people.model.referrals import depths
from valtrac.people.model.terms import Span


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    engine = new_engine(tmp_path)
    for name in ("ann", "bob", "cat", "dan"):
        users.add(engine, name, [])
    return engine


def refused(
    engine: sa.Engine, kind: type[ValtracError], call: Callable[..., object], *args: Any, **options: Any
) -> str:
    """The words of a refusal that changed nothing."""
    before = everything(engine)
    with pytest.raises(kind) as caught:
        call(engine, *args, **options)
    assert everything(engine) == before
    assert caught.value.fix
    return f"{caught.value.what} | {caught.value.why} | {caught.value.fix}"


def rates(engine: sa.Engine) -> dict[str, tuple[int, bool]]:
    return {view.referee: (view.rate_bps, view.own_rate) for view in referrals.list_referrals(engine)}


# -- rates ---------------------------------------------------------------------------------------


def test_a_rate_is_given_once_and_holds_for_every_referee(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    view = referrals.add(engine, "ann", "cat")
    assert (view.referrer, view.referee, view.rate_bps, view.own_rate) == ("ann", "cat", 2_500, False)
    assert (view.since, view.until) == (0, None)
    assert len(terms_of(engine).rates) == 1


def test_without_any_rate_a_referral_is_refused(engine: sa.Engine) -> None:
    said = refused(engine, BadInput, referrals.add, "ann", "bob")
    assert "rate: missing | 'ann' has no rate yet | give the rate" in said


def test_another_rate_than_the_referrers_is_refused_and_says_what_to_do(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    said = refused(engine, BadInput, referrals.add, "ann", "cat", 1_000)
    assert "'ann' takes 25% already, not 10%" in said
    assert "edit it for all referees, or set it for this referee only" in said


def test_an_override_holds_for_its_referee_only(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    referrals.add(engine, "ann", "cat", 1_000, only_this_referee=True)
    assert rates(engine) == {"bob": (2_500, False), "cat": (1_000, True)}
    assert terms_of(engine).referrals_at(0) == {"bob": ("ann", 2_500), "cat": ("ann", 1_000)}


def test_an_override_needs_a_rate(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    assert "rate: missing" in refused(engine, BadInput, referrals.add, "ann", "cat", only_this_referee=True)


@pytest.mark.parametrize("rate", [-1, 10_001, 0.5, True])
def test_a_rate_outside_of_whole_basis_points_is_refused(engine: sa.Engine, rate: bool | int | float) -> None:
    assert "0 to 10000 whole basis points" in refused(engine, BadInput, referrals.add, "ann", "bob", rate)


def test_an_edited_rate_holds_from_the_next_snapshot_on(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    snapshot_at(engine, 1_500)
    (view,) = referrals.edit_rate(engine, "ann", 5_000)
    assert view.rate_bps == 5_000
    terms = terms_of(engine)
    assert [terms.referrals_at(block)["bob"][1] for block in (1_500, 1_501)] == [2_500, 5_000]
    assert spans(terms.rates) == [(0, 1_501), (1_501, None)]


def test_editing_the_rate_of_one_referee_leaves_the_others(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    referrals.add(engine, "ann", "cat")
    referrals.edit_rate(engine, "ann", 100, referee="cat")
    referrals.edit_rate(engine, "ann", 3_000)
    assert rates(engine) == {"bob": (3_000, False), "cat": (100, True)}


def test_an_earlier_edit_replaces_everything_that_came_after_it(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1)
    referrals.edit_rate(engine, "ann", 2, from_block=1_000)
    referrals.edit_rate(engine, "ann", 3, from_block=500)
    terms = terms_of(engine)
    assert [terms.referrals_at(block)["bob"][1] for block in (499, 500, 999, 1_000, 5_000)] == [1, 3, 3, 3, 3]
    assert spans(terms.rates) == [(0, 500), (1_000, 1_000), (500, None)]


def test_the_rate_of_nobodys_referrer_cannot_be_edited(engine: sa.Engine) -> None:
    assert "'ann' does not refer anyone" in refused(engine, BadInput, referrals.edit_rate, "ann", 1)
    referrals.add(engine, "ann", "bob", 1)
    assert "'ann' does not refer 'cat'" in refused(engine, BadInput, referrals.edit_rate, "ann", 1, referee="cat")


def test_a_first_referral_takes_a_rate_as_far_back_as_it_reaches(engine: sa.Engine) -> None:
    referrals.add(engine, "dan", "bob", 1)
    snapshot_at(engine, 1_500)
    referrals.remove(engine, "bob")
    referrals.add(engine, "ann", "bob", 2_500)  # a change: from 1,501 on
    referrals.add(engine, "ann", "cat")  # a first referral: from 0 on
    terms = terms_of(engine)
    assert terms.referrals_at(700) == {"bob": ("dan", 1), "cat": ("ann", 2_500)}
    assert terms.referrals_at(1_501) == {"bob": ("ann", 2_500), "cat": ("ann", 2_500)}


# -- one referrer, no circle ------------------------------------------------------------------------


def test_a_second_referrer_is_refused_and_names_the_present_one(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1)
    said = refused(engine, BadInput, referrals.add, "cat", "bob", 1)
    assert "'bob' is referred by 'ann' already" in said
    assert "remove the referral of 'bob' first" in said


def test_nobody_refers_himself(engine: sa.Engine) -> None:
    assert "ann -> ann" in refused(engine, BadInput, referrals.add, "ann", "ann", 1)


def test_a_circle_is_refused_with_its_path(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1)
    referrals.add(engine, "bob", "cat", 1)
    said = refused(engine, BadInput, referrals.add, "cat", "ann", 1)
    assert "this would close a circle: ann -> bob -> cat -> ann" in said
    assert "remove one referral on that path" in said


def test_a_circle_that_only_a_later_block_would_hold_is_refused_too(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1, from_block=900)
    said = refused(engine, BadInput, referrals.add, "bob", "ann", 1, from_block=100)
    assert "ann -> bob -> ann | at block 900" in said


def test_a_referrer_may_be_set_above_one_who_refers_already(engine: sa.Engine) -> None:
    referrals.add(engine, "bob", "cat", 1)
    referrals.add(engine, "ann", "bob", 1)
    assert [row.depth for row in referrals.tree_view(engine)] == [0, 1, 2]


def test_unknown_and_ended_users_are_refused_by_name(engine: sa.Engine) -> None:
    users.end(engine, "dan")
    assert "there is no user 'Ann'" in refused(engine, BadInput, referrals.add, "Ann", "bob", 1)
    assert "did you mean 'ann'?" in refused(engine, BadInput, referrals.add, "Ann", "bob", 1)
    assert "add 'dan' again first" in refused(engine, BadInput, referrals.add, "ann", "dan", 1)
    assert "there is no user '·[2J'" in refused(engine, BadInput, referrals.remove, "\x1b[2J")


anyone = st.sampled_from(["ann", "bob", "cat", "dan"])
steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "end", "back"]), anyone, anyone, st.none() | st.integers(0, 30)),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_is_entered_no_block_has_a_circle_or_two_referrers(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str, int]]
) -> None:
    engine = new_engine(tmp_path_factory.mktemp("db"))
    for name in ("ann", "bob", "cat", "dan"):
        users.add(engine, name, [])
    snapshot_at(engine, 10)
    for verb, name, other, block in steps:
        try:
            if verb == "add":
                referrals.add(engine, name, other, 5, only_this_referee=True, from_block=block)
            elif verb == "remove":
                referrals.remove(engine, name, from_block=block)
            elif verb == "end":
                users.end(engine, name, from_block=block)
            else:
                users.add(engine, name, [], from_block=block)
        except ValtracError:
            continue
    terms = terms_of(engine)
    for block in range(35):
        depths(terms.referrals_at(block))
        for group, subject in (
            (terms.users, lambda term: term.name),
            (terms.referrals, lambda term: term.referee),
            (terms.rates, lambda term: (term.referrer, term.referee)),
        ):
            held = [subject(term) for term in group if term.span.holds(block)]
            assert len(held) == len(set(held))


# -- in time ---------------------------------------------------------------------------------------


def test_a_first_referral_holds_from_the_first_unpaid_block(engine: sa.Engine) -> None:
    paid_up_to(engine, 1_000)
    snapshot_at(engine, 1_500)
    assert referrals.add(engine, "ann", "bob", 1).since == 1_001


def test_a_later_referral_holds_from_the_next_snapshot_on(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1)
    snapshot_at(engine, 1_500)
    assert referrals.remove(engine, "bob").until == 1_501
    assert referrals.add(engine, "cat", "bob", 1).since == 1_501
    assert referrals.list_referrals(engine)[0].referrer == "cat"
    assert [view.referrer for view in referrals.list_referrals(engine, ended=True)] == ["ann", "cat"]


def test_a_removed_referral_leaves_the_referrers_rate_known(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 2_500)
    referrals.remove(engine, "bob")
    assert referrals.add(engine, "ann", "cat").rate_bps == 2_500


def test_a_removed_override_does_not_come_back(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "cat", 2_500)
    referrals.add(engine, "ann", "bob", 1, only_this_referee=True)
    snapshot_at(engine, 10)
    referrals.remove(engine, "bob")
    assert referrals.add(engine, "ann", "bob").rate_bps == 2_500


def test_who_has_no_referrer_cannot_lose_one(engine: sa.Engine) -> None:
    assert "'bob' has no referrer" in refused(engine, BadInput, referrals.remove, "bob")


def test_the_paid_past_is_refused_with_both_blocks(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1)
    paid_up_to(engine, 1_000)
    for call, *args in ((referrals.add, "ann", "cat"), (referrals.edit_rate, "ann", 2), (referrals.remove, "bob")):
        said = refused(engine, Refused, call, *args, from_block=1_000)
        assert "block 1000 is paid already; the first unpaid block is 1001" in said
        assert "the past that was paid is never rewritten" in said


def test_a_negative_block_is_refused(engine: sa.Engine) -> None:
    assert "-1 is no block number" in refused(engine, BadInput, referrals.add, "ann", "bob", 1, from_block=-1)


# -- the tree --------------------------------------------------------------------------------------


def test_the_tree_shows_what_each_keeps_collects_and_ends_with(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 5_000)
    referrals.add(engine, "bob", "cat", 2_000)
    rows = referrals.tree_view(engine, pool_units=100)
    assert [
        (row.depth, row.name, row.referrer, row.rate_bps, row.keeps_units, row.collects_units, row.ends_with_units)
        for row in rows
    ] == [
        (0, "ann", None, None, 100, 60, 160),
        (1, "bob", "ann", 5_000, 50, 20, 60),
        (2, "cat", "bob", 2_000, 80, 0, 80),
    ]
    assert sum(row.ends_with_units for row in referrals.tree_view(engine)) == 3 * 100 * 10**9


def test_the_tree_of_nobody_is_empty(engine: sa.Engine) -> None:
    assert referrals.tree_view(engine) == []


def test_the_tree_can_be_seen_as_it_was_at_a_block(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 5_000)
    snapshot_at(engine, 99)
    users.end(engine, "bob")
    assert referrals.tree_view(engine) == []
    assert [row.name for row in referrals.tree_view(engine, at_block=99)] == ["ann", "bob"]


def test_a_user_who_ended_starts_clean_when_added_again(engine: sa.Engine) -> None:
    referrals.add(engine, "ann", "bob", 1)
    referrals.add(engine, "bob", "cat", 2)
    users.end(engine, "bob", from_block=10)
    users.add(engine, "bob", [], from_block=20)
    snapshot_at(engine, 30)
    assert referrals.list_referrals(engine) == []
    assert "has no rate yet" in refused(engine, BadInput, referrals.add, "bob", "dan")
    assert [term.span for term in terms_of(engine).referrals] == [Span(0, 10), Span(0, 10)]
