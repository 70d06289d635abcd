"""Figures against values worked out by hand on a small history; shares against the plan of the same range."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.people.model.test_policies import VALUES, snap, some_policies, users
from valtrac.core.errors import BadInput, Refused
from valtrac.payouts.model.plans import Rules
from valtrac.payouts.model.weights import weigh
from valtrac.people.model import policies
from valtrac.people.model.terms import PolicyTerm, RateTerm, ReferralTerm, Span, Terms
from valtrac.reports.model import history, measures, rates, referral_figures, replay, what_if
from valtrac.reports.model.history import History
from valtrac.reports.model.record import Payout, Record, covered
from valtrac.snapshots.model.stakes import METHODS, moments

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400


def made(
    stakes: dict[str, list[float]],
    *,
    owner: list[float] | None = None,
    step_s: float = DAY,
    take: float = math.nan,
    price: float = 1.0,
) -> History:
    rows = len(next(iter(stakes.values())))
    return History(
        np.arange(rows, dtype=np.int64) * 10 + 10,
        tuple(BEGIN + timedelta(seconds=step_s * row) for row in range(rows)),
        tuple(stakes),
        np.array(list(stakes.values()), dtype=np.float64).T,
        np.array(owner or [100.0] * rows),
        np.full(rows, price),
        np.full(rows, take),
        np.ones(rows, dtype=bool),
    )


def record(of: History, terms: Terms = Terms(), **more: Any) -> Record:
    return Record("HOT", "TAO", of, terms, interval_s=DAY, **more)


def payout(
    number: int = 1, *, from_block: int = 10, to_block: int = 30, earned: dict[str, float], **more: Any
) -> Payout:
    values = {"pool": sum(earned.values()), "shared": sum(earned.values()), "fee": 0.5, "settled": True, **more}
    at = values.pop("at", BEGIN + timedelta(days=1, hours=12))
    return Payout(
        number,
        from_block,
        to_block,
        at,
        values["settled"],
        values["pool"],
        values["shared"],
        values["fee"],
        earned,
        values.get("paid", earned),
    )


# -- rates ---------------------------------------------------------------------------------


def test_growth_is_what_stake_that_stayed_gained_whoever_moves_in_or_out() -> None:
    of = made({"A": [100, 101, 102.01], "B": [200, 202, 0], "C": [0, 50, 5000], "D": [300, 303, 306.03]})
    assert history.growth(of).tolist() == pytest.approx([0.01, 0.01])


def test_a_year_at_one_percent_a_day_before_and_after_a_take_of_a_fifth() -> None:
    of = made({"A": [100, 101, 102.01]}, take=0.2)
    points = rates.rates(record(of))
    assert [point.after for point in points] == pytest.approx([365, 365])
    assert [point.before for point in points] == pytest.approx([456.25, 456.25])
    assert history.compounded(0.365) == pytest.approx((1 + 0.001) ** 365 - 1)


def test_a_rebate_adds_what_was_shared_out_over_the_mean_stake() -> None:
    of = made({"A": [100, 100, 100]})
    (first, second) = rates.rates(record(of, payouts=(payout(from_block=11, to_block=30, earned={"A": 2.0}),)))
    assert (first.after, second.after) == (0, 0)
    assert (first.rebate, second.rebate) == pytest.approx((365, 365))  # one a day on a hundred
    assert first.before is None


def test_a_users_rate_counts_what_the_user_got_on_the_users_own_stake() -> None:
    terms = users("ann", "bob")
    of = made({"ANN": [100, 100], "BOB": [300, 300]})
    found = record(of, terms, payouts=(payout(from_block=11, to_block=20, earned={"ann": 1.0, "bob": 1.0}),))
    assert rates.rates_of(found, "ann")[0].rebate == pytest.approx(365)
    assert rates.rates_of(found, "bob")[0].rebate == pytest.approx(365 / 3)


def test_what_is_not_paid_yet_has_no_rate_with_rebate_but_a_projected_one() -> None:
    terms = users("ann", "bob")
    of = made({"ANN": [100, 101, 102.01], "BOB": [300, 303, 306.03]}, take=0.2)
    found = record(of, terms)
    points = rates.rates(found)
    assert [point.rebate for point in points] == [None, None]
    income = measures.take_income(found)
    assert income is not None
    held = (400 + 404) / 2 + (404 + 408.04) / 2
    assert [point.projected for point in points] == pytest.approx([365 + 100 * 365 * float(income[-1]) / held] * 2)
    assert rates.unpaid(found) == 1.0
    seen = measures.overview(found)
    assert seen.apr_projected == pytest.approx(points[0].projected)
    assert (seen.apr_rebate, seen.unpaid) == (None, 100.0)


def test_a_projection_follows_the_referrals() -> None:
    terms = users("ann", "bob")
    taxed = replace(
        terms, referrals=(ReferralTerm("bob", "ann", Span(0)),), rates=(RateTerm("ann", None, 5_000, Span(0)),)
    )
    of = made({"ANN": [100, 101], "BOB": [100, 101]}, take=0.2)
    (even,), (more,) = rates.rates_of(record(of, terms), "ann"), rates.rates_of(record(of, taxed), "ann")
    (less,) = rates.rates_of(record(of, taxed), "bob")
    assert even.projected is not None and more.projected is not None and less.projected is not None
    extra = even.projected - even.after
    assert more.projected - more.after == pytest.approx(1.5 * extra)
    assert less.projected - less.after == pytest.approx(0.5 * extra)


def test_only_the_stretch_after_the_last_settled_payout_is_projected() -> None:
    of = made({"A": [100, 100, 100]}, owner=[100, 110, 120], take=math.nan)
    found = record(of, users("a"), payouts=(payout(from_block=11, to_block=20, earned={"a": 1.0}),))
    first, second = rates.rates(found)
    assert first.rebate == pytest.approx(365) and first.projected is None
    assert second.rebate is None and second.projected is not None
    assert second.projected == pytest.approx(10 * 365)  # ten a day on a hundred
    assert rates.unpaid(found) == pytest.approx(0.5)


def test_what_is_approved_and_not_settled_is_projected_by_its_own_amounts() -> None:
    of = made({"A": [100, 100]}, owner=[100, 110])
    open_ = payout(from_block=11, to_block=20, earned={"a": 4.0}, settled=False)
    (point,) = rates.rates(record(of, users("a"), payouts=(open_,)))
    assert point.rebate is None and point.projected == pytest.approx(4 * 365)


def test_a_stretch_that_is_paid_in_part_has_both_and_the_same_pace() -> None:
    of = made({"A": [100, 100]}, owner=[100, 110])
    (point,) = rates.rates(record(of, users("a"), payouts=(payout(from_block=11, to_block=15, earned={"a": 5.0}),)))
    assert point.rebate == pytest.approx(10 * 365) == point.projected


def test_without_a_price_nothing_is_projected_and_nothing_is_zero() -> None:
    assert measures.overview(record(made({"A": [100, 101]}, price=0.0), users("a"))).apr_projected is None


def test_blocks_that_two_payouts_pay_for_count_once() -> None:
    blocks = np.array([10, 20, 30])
    twice = [payout(from_block=11, to_block=20, earned={}), payout(from_block=15, to_block=25, earned={})]
    assert covered(twice, blocks).tolist() == [1.0, 0.5]
    within = [payout(from_block=5, to_block=40, earned={}), payout(from_block=12, to_block=14, earned={})]
    assert covered(within, blocks).tolist() == [1.0, 1.0]


def test_take_income_follows_from_growth_and_take_or_else_from_what_the_owner_gained_beyond_it() -> None:
    known = measures.take_income(record(made({"A": [800, 808]}, take=0.2)))
    assert known is not None
    assert known[-1] == pytest.approx(800 * 0.01 * 0.2 / 0.8)
    unknown = measures.take_income(record(made({"A": [800, 808]}, owner=[100, 103])))
    assert unknown is not None
    assert unknown[-1] == pytest.approx(2)  # three gained, one of it by the owner's own stake
    assert measures.take_income(record(made({"A": [800, 808]}, price=0.0))) is None


# -- who is there, and how much each has -----------------------------------------------------


def test_concentration() -> None:
    assert history.gini(np.array([5.0, 5, 5, 0])) == pytest.approx(0)
    assert history.gini(np.array([0.0, 0, 0, 7])) == pytest.approx(0)  # of those who have any
    assert history.gini(np.array([1.0, 3])) == pytest.approx(0.25)
    assert history.top_share(np.array([float(n) for n in range(1, 12)])) == pytest.approx(65 / 66)
    assert math.isnan(history.gini(np.zeros(3)))


def test_who_came_and_went_is_counted_from_the_end_of_a_day_to_the_end_of_the_next() -> None:
    of = made({"A": [1, 1, 0, 0], "B": [0, 1, 1, 1], "C": [0, 2, 0, 2]}, step_s=DAY / 2)
    days = history.movements(of)
    assert [(one.day, one.joined, one.left, one.heads) for one in days] == [
        (date(2026, 1, 1), 2, 0, 3),
        (date(2026, 1, 2), 0, 1, 2),
    ]


def test_coverage_counts_what_the_interval_asks_for() -> None:
    at = [BEGIN + timedelta(hours=hour) for hour in (0, 1, 2, 12, 23, 25)]
    days = history.coverage(at, 3600)
    assert [(one.taken, round(one.expected)) for one in days] == [(5, 24), (1, 2)]
    assert history.coverage([], 3600) == []


def test_a_balance_has_the_price_of_its_time_or_none() -> None:
    found = record(
        made({"ANN": [100, 110]}), users("ann"), prices=((BEGIN - timedelta(hours=1), 400.0),), price_max_age_s=7200
    )
    assert [(one.stake, one.money) for one in measures.balances(found, "ann")] == [(100, 40_000), (110, None)]


def test_an_address_counts_for_a_user_while_it_is_the_users() -> None:
    terms = users("ann")
    terms = replace(terms, addresses=(replace(terms.addresses[0], span=Span(15, 25)),))
    assert rates.stakes_of(record(made({"ANN": [5, 6, 7]}), terms), "ann").tolist() == [0, 6, 0]
    assert rates.stakes_of(record(made({"ANN": [5, 6, 7]}), terms), "ANN").tolist() == [5, 6, 7]


def test_the_largest_are_stacked_by_user_and_the_rest_together() -> None:
    found = measures.stack(record(made({"ANN": [1, 9], "X": [5, 5], "Y": [1, 2], "Z": [1, 1]}), users("ann")), most=2)
    assert found.stakes == {"ann": (1, 9), "X": (5, 5), "others": (2, 3)}


def test_the_overview_adds_up() -> None:
    of = made({"A": [600, 606, 612.06], "B": [0, 200, 202]}, take=0.2)
    found = measures.overview(
        record(of, payouts=(payout(earned={"A": 0.6, "B": 0.4}, pool=2.0),), held={"x": 1.5, "debt": -3.0})
    )
    assert (found.heads, found.joined, found.left, found.snapshots, found.coverage) == (2, 1, 0, 3, 100)
    assert found.take_income == pytest.approx((600 * 0.01 + 806 * 0.01) * 0.25)
    assert found.take_income is not None
    assert found.effective_rebate == pytest.approx(100 / found.take_income)
    assert (found.shared, found.paid, found.fees, found.held) == (1.0, 1.0, 0.5, 1.5)
    assert found.top_ten == pytest.approx(100)


def test_of_a_payout_that_covers_more_blocks_the_part_for_the_range_counts_everywhere() -> None:
    of = made({"A": [100, 101, 102]}, take=0.5)
    found = measures.overview(record(of, payouts=(payout(from_block=21, to_block=120, earned={"A": 10.0}, fee=1.0),)))
    assert (found.shared, found.paid, found.fees) == pytest.approx((1.0, 1.0, 0.1))
    early = payout(2, from_block=1, to_block=9, at=BEGIN - timedelta(days=1), earned={"A": 5.0})
    points = measures.pool(record(of, payouts=(early, payout(earned={"A": 3.0}))))
    assert [point.paid for point in points] == [0, 0, 3.0]
    assert [one.batch for one in measures.payouts(record(of, payouts=(early, payout(earned={"A": 3.0}))))] == [1]


def test_stake_is_whose_it_was_at_the_time() -> None:
    terms = users("ann", "bob")
    moved = replace(
        terms,
        addresses=(
            replace(terms.addresses[0], span=Span(0, 20)),
            replace(terms.addresses[1], address="ANN", span=Span(20)),
        ),
    )
    of = made({"ANN": [100, 101, 102.01]})
    assert measures.stack(record(of, moved)).stakes == {"bob": (0, 101, 102.01), "ann": (100, 0, 0)}
    assert what_if.by_name(record(of, moved), "users") == pytest.approx({"ann": 1.0, "bob": 1.01})


def test_who_has_no_stake_has_no_rate() -> None:
    assert rates.rates_of(record(made({"ANN": [1, 1]}), users("ann", "bob")), "bob") == []


def test_paid_steps_up_when_a_batch_settles() -> None:
    of = made({"A": [100, 101, 102]}, take=0.5)
    points = measures.pool(record(of, payouts=(payout(earned={"A": 3.0}),)))
    assert [point.paid for point in points] == [0, 0, 3.0]


# -- shares: the same as the plan's -----------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(
    stakes=st.lists(
        st.dictionaries(
            st.sampled_from(("ANN", "BOB", "CAT", "DAN", "NOBODYS")), st.integers(10**9, 10**13), min_size=1
        ),
        min_size=2,
        max_size=6,
    ),
    method=st.sampled_from(METHODS),
    by=st.sampled_from(("users", "nominators")),
    rules_=some_policies(),
)
def test_shares_are_those_of_the_plan(
    stakes: list[dict[str, int]], method: Any, by: Any, rules_: tuple[PolicyTerm, ...]
) -> None:
    scaled = tuple(
        replace(one, value=str(int(one.value) * 10**10)) if one.kind in ("min-stake", "max-stake") else one
        for one in rules_
    )
    terms = replace(
        users("ann", "bob", "cat", "dan"),
        referrals=(ReferralTerm("ann", "bob", Span(15)), ReferralTerm("bob", "cat", Span(0))),
        rates=(RateTerm("bob", None, 2_500, Span(0)), RateTerm("cat", None, 1_111, Span(0))),
        policies=scaled,
    )
    snapshots = [snap(10 * place, one) for place, one in enumerate(stakes, 1)]
    names = sorted({name for one in stakes for name in one})
    of = made(
        {name: [one.get(name, 0) / 10**9 for one in stakes] for name in names},
        owner=[(1000 + 10 * place) / 10**9 for place in range(1, len(stakes) + 1)],
    )
    rules = Rules(10**9, 10, 10_000, 0, method, by)
    try:
        exact = weigh(rules, moments(snapshots, valued=False), None, terms).names
    except Refused:
        return
    found = replay.shares(of, terms, method=method, by=by)
    whole = sum(exact.values())
    for name in {*exact, *found.adjusted} - {key for key in exact if policies.MARK in key}:
        assert found.adjusted.get(name, 0.0) == pytest.approx(exact.get(name, 0) / whole, abs=1e-9), name
    kept = sum(weight for name, weight in exact.items() if policies.MARK in name) / whole
    assert sum(found.withheld.values()) == pytest.approx(kept, abs=1e-9)
    assert sum(found.base.values()) == pytest.approx(1)


def test_base_and_adjusted_come_with_the_chain_of_referrers() -> None:
    terms = replace(
        users("ann", "bob", "cat"),
        referrals=(ReferralTerm("ann", "bob", Span(0)), ReferralTerm("bob", "cat", Span(0))),
        rates=(RateTerm("bob", None, 5_000, Span(0)), RateTerm("cat", None, 1_000, Span(0))),
    )
    found = record(
        made({"ANN": [50, 50], "BOB": [50, 50]}), terms, payouts=(payout(to_block=20, earned={"ann": 1.0}, pool=10.0),)
    )
    rows = {row.name: row for row in referral_figures.share_rows(found, replay.shares(found.history, terms))}
    assert (rows["ann"].base, rows["ann"].adjusted) == pytest.approx((50, 25))
    assert (rows["bob"].base, rows["bob"].adjusted) == pytest.approx((50, 67.5))
    assert rows["ann"].chain == (("bob", 5_000), ("cat", 1_000))
    assert referral_figures.referrer_income(found) == pytest.approx({"bob": 2.5, "cat": 0.75})
    flows = referral_figures.tree(found, replay.shares(found.history, terms)).flows
    drawn: list[tuple[str, str, Any]] = [(one.referee, one.referrer, one.percent) for one in flows]
    assert drawn == [
        ("ann", "bob", pytest.approx(25)),
        ("bob", "cat", pytest.approx(7.5)),
    ]


# -- what if ------------------------------------------------------------------------------------


def world() -> Record:
    terms = replace(
        users("ann", "bob"),
        referrals=(ReferralTerm("ann", "bob", Span(0)),),
        rates=(RateTerm("bob", None, 5_000, Span(0)),),
    )
    of = made({"ANN": [100, 101], "BOB": [100, 101]}, take=0.2)
    return record(of, terms, payouts=(payout(to_block=20, earned={"ann": 2.0, "bob": 6.0}, pool=8.0),))


def test_another_rate_moves_the_pool_between_people_and_nothing_else() -> None:
    found = what_if.replayed(world(), what_if.Change(rates={"bob": 0}))
    assert {row.name: (row.was, row.would_be) for row in found.rows} == {
        "ann": pytest.approx((1 + 2, 1 + 4)),
        "bob": pytest.approx((1 + 6, 1 + 4)),
    }
    assert found.owner.was == found.owner.would_be
    assert (found.pool.was, found.pool.would_be) == (8, 8)


def test_nobody_referring_is_a_rate_of_nothing() -> None:
    assert what_if.replayed(world(), what_if.Change(brought={"ann": None})).rows == (
        what_if.replayed(world(), what_if.Change(rates={"bob": 0})).rows
    )


def test_another_take_changes_what_the_chain_pays_and_the_pool_with_it() -> None:
    found = what_if.replayed(world(), what_if.Change(take=0.4))
    assert found.pool.would_be == pytest.approx(16)
    ann = next(row for row in found.rows if row.name == "ann")
    assert ann.would_be == pytest.approx(1 * 0.6 / 0.8 + 16 / 4)
    with pytest.raises(BadInput, match="never recorded"):
        what_if.replayed(replace(world(), history=made({"ANN": [100, 101]})), what_if.Change(take=0.4))


def test_a_minimum_names_who_would_be_held() -> None:
    assert what_if.replayed(world(), what_if.Change(minimum=3.0)).below == ("ann",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (what_if.Change(rates={"nobody": 1}), "no user 'nobody'"),
        (what_if.Change(brought={"bob": "ann"}), "above and below|refer to itself"),
        (what_if.Change(take=1.0), "take: it lies between"),
    ],
)
def test_what_cannot_be_is_refused(change: what_if.Change, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        what_if.replayed(world(), change)


def test_every_kind_of_policy_is_tried_here() -> None:
    assert set(VALUES) == set(policies.KINDS)
