"""Policies in a plan: who earns, how much of it, where it goes, and that every unit stays in one place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.core.errors import BadInput
from valtrac.payouts.model.plans import PayoutPlan, Rules
from valtrac.payouts.model.sharing import share_out
from valtrac.payouts.model.weights import counted, weigh
from valtrac.people.model import policies
from valtrac.people.model.terms import (
    AddressTerm,
    PayoutTerm,
    PolicyTerm,
    RateTerm,
    ReferralTerm,
    Span,
    Terms,
    UserTerm,
)
from valtrac.snapshots.model.stakes import METHODS, Moment, Snapshot, moments

ALWAYS = Span(0)
EVERYONE = policies.EVERYONE


def snap(block: int, stakes: dict[str, int]) -> Snapshot:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Snapshot("5Hot", 0, block, "0x", at, "OWNER", 1000 + block, stakes)


def users(*names: str) -> Terms:
    return Terms(
        tuple(UserTerm(n, f"user:{n}", ALWAYS) for n in names),
        tuple(AddressTerm(n, n.upper(), ALWAYS) for n in names),
        tuple(PayoutTerm(n, n.upper(), ALWAYS) for n in names),
    )


def policy(person: str, kind: str, value: str, span: Span = ALWAYS) -> PolicyTerm:
    return PolicyTerm(person if person == EVERYONE or ":" in person else f"user:{person}", kind, value, span)


def planned(
    terms: Terms,
    stakes: dict[str, int] | list[dict[str, int]],
    *rules_: PolicyTerm,
    pool: int = 1000,
    fee: int = 0,
    held: dict[str, int] | None = None,
    **rules: Any,
) -> PayoutPlan:
    asked = replace(Rules(pool, 0, 100, 0), **rules)
    terms = replace(terms, policies=rules_)
    rows = [snap(10 * place, one) for place, one in enumerate(stakes if isinstance(stakes, list) else [stakes], 1)]
    weights = weigh(asked, moments(rows, valued=False), None, terms)
    return share_out(asked, weights, terms, held or {}, fee)


def amounts(plan: PayoutPlan) -> dict[str, int]:
    return {line.user: line.amount for line in plan.lines}


def withheld(plan: PayoutPlan) -> list[tuple[str, int, str, str]]:
    return [(kept.user, kept.amount, kept.reason, kept.goes_to) for kept in plan.excluded]


def test_who_is_excluded_earns_nothing_and_it_stays_in_the_pool() -> None:
    plan = planned(users("ann", "bob"), {"ANN": 1, "BOB": 3}, policy("ann", "exclude", "yes"))
    assert (amounts(plan), withheld(plan)) == ({"bob": 750}, [("ann", 250, "excluded", "pool")])


@pytest.mark.parametrize(
    ("goes_to", "bob", "kept"),
    [
        ("pool", 750, [("ann", 250, "excluded", "pool")]),
        ("owner", 750, [("ann", 250, "excluded", "owner")]),
        ("everyone", 1000, []),
    ],
)
def test_what_is_forfeited_goes_where_the_owner_said(goes_to: str, bob: int, kept: list[Any]) -> None:
    plan = planned(
        users("ann", "bob"),
        {"ANN": 1, "BOB": 3},
        policy("ann", "exclude", "yes"),
        policy(EVERYONE, "forfeits", goes_to),
    )
    assert (amounts(plan), withheld(plan)) == ({"bob": bob}, kept)


def test_an_exclusion_counts_from_its_block_on() -> None:
    plan = planned(users("ann", "bob"), [{"ANN": 1, "BOB": 1}] * 2, policy("ann", "exclude", "yes", Span(20)), pool=400)
    assert (amounts(plan), withheld(plan)) == ({"ann": 100, "bob": 200}, [("ann", 100, "excluded", "pool")])


def test_the_owners_cut_is_taken_after_the_referral_tax() -> None:
    terms = replace(
        users("ann", "bob"),
        referrals=(ReferralTerm("ann", "bob", ALWAYS),),
        rates=(RateTerm("bob", None, 2_000, ALWAYS),),
    )
    plan = planned(terms, {"ANN": 1, "BOB": 1}, policy("ann", "cut", "1000"))
    # ann: 500 less 100 of tax, less a tenth of the 400 that are left
    assert (amounts(plan), withheld(plan)) == ({"ann": 360, "bob": 600}, [("ann", 40, "the owner's cut", "owner")])


def test_a_cut_of_ones_own_goes_before_everyones() -> None:
    plan = planned(
        users("ann", "bob"), {"ANN": 1, "BOB": 1}, policy(EVERYONE, "cut", "1000"), policy("bob", "cut", "0")
    )
    assert amounts(plan) == {"ann": 450, "bob": 500}


def test_stake_above_the_most_does_not_count_over_all_addresses_together() -> None:
    terms = users("ann", "bob")
    terms = replace(terms, addresses=(*terms.addresses, AddressTerm("ann", "ANN2", ALWAYS)))
    plan = planned(terms, {"ANN": 30, "ANN2": 30, "BOB": 40}, policy("ann", "max-stake", "40"))
    assert amounts(plan) == {"ann": 400, "bob": 400}
    assert withheld(plan) == [("ann", 200, "stake that does not count", "pool")]


def test_less_than_the_least_stake_does_not_count_at_all() -> None:
    plan = planned(
        users("ann", "bob"),
        [{"ANN": 9, "BOB": 91}, {"ANN": 10, "BOB": 90}],
        policy(EVERYONE, "min-stake", "10"),
        policy(EVERYONE, "forfeits", "everyone"),
        pool=1910,
    )
    assert amounts(plan) == {"ann": 100, "bob": 1810}


def test_a_person_has_a_minimum_of_its_own_above_or_below_the_owners() -> None:
    plan = planned(
        users("ann", "bob", "cat"),
        {"ANN": 1, "BOB": 1, "CAT": 1},
        policy("ann", "minimum", "1"),
        policy("bob", "minimum", "200"),
        pool=300,
        minimum=101,
    )
    assert amounts(plan) == {"ann": 100}
    assert [(kept.user, kept.reason) for kept in plan.held] == [
        ("bob", "below the minimum"),
        ("cat", "below the minimum"),
    ]


def test_no_minimum_goes_below_what_the_chain_takes() -> None:
    plan = planned(users("ann"), {"ANN": 1}, policy("ann", "minimum", "1"), pool=499, least=500)
    assert (amounts(plan), plan.held[0].amount) == ({}, 499)


def test_a_redirected_payment_goes_to_the_other_address() -> None:
    plan = planned(users("ann", "bob"), {"ANN": 1, "BOB": 1}, policy("ann", "redirect", "ELSEWHERE"))
    assert [line.address for line in plan.lines] == ["ELSEWHERE", "BOB"]


def test_each_may_bear_the_network_fee_in_another_way() -> None:
    plan = planned(
        users("ann", "bob", "cat"),
        {"ANN": 1, "BOB": 1, "CAT": 1},
        policy("ann", "fee-payer", "payee"),
        policy("bob", "fee-payer", "owner"),
        pool=301,
        fee=3,
    )
    assert plan.fee_from_pool == 1  # cat's third of it, as the policy of the batch says
    assert amounts(plan) == {"ann": 99, "bob": 100, "cat": 100}
    assert [line.fee_share for line in plan.lines] == [1, 0, 0]


def test_what_was_overpaid_is_taken_back_a_part_at_a_time() -> None:
    held = {"user:ann": -80}
    plan = planned(users("ann", "bob"), {"ANN": 1, "BOB": 1}, pool=200, held=held, take_back_bps=5_000)
    ann = plan.lines[0]
    assert (ann.from_pool, ann.released, ann.amount) == (100, -50, 50)
    plan = planned(users("ann", "bob"), {"ANN": 1, "BOB": 1}, pool=200, held={"user:ann": -30}, take_back_bps=5_000)
    assert plan.lines[0].amount == 70


def test_policies_about_nominators_are_about_addresses_or_their_users() -> None:
    terms = users("ann", "bob")
    plan = planned(
        terms,
        {"ANN": 1, "BOB": 1, "NOBODYS": 2},
        policy("ann", "cut", "5000"),
        policy("addr:NOBODYS", "exclude", "yes"),
        by="nominators",
    )
    assert amounts(plan) == {"ANN": 125, "BOB": 250}
    assert withheld(plan) == [("ANN", 125, "the owner's cut", "owner"), ("NOBODYS", 500, "excluded", "pool")]


def test_nobodys_stake_is_under_no_policy() -> None:
    plan = planned(users("ann"), {"ANN": 1, "NOBODYS": 1}, policy(EVERYONE, "cut", "1000"))
    assert (amounts(plan), plan.unassigned) == ({"ann": 450}, 500)


@pytest.mark.parametrize("kind", policies.KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("text", ["", "nonsense", "-1", "NaN", "1e9", "101%", "٣", "0x00"])
def test_what_cannot_be_a_value_is_refused_with_the_name_of_the_policy(kind: policies.Kind, text: str) -> None:
    with pytest.raises(BadInput, match=kind.name):
        kind.read(text)


@pytest.mark.parametrize("kind", policies.KINDS.values(), ids=lambda kind: kind.name)
def test_the_example_of_each_policy_can_be_read_and_shown(kind: policies.Kind) -> None:
    example = "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM" if kind.name == "redirect" else kind.example
    assert kind.show(kind.read(example))


NAMES = ("ann", "bob", "cat", "dan")
POLICY = st.builds(
    policy,
    st.sampled_from((*NAMES, EVERYONE)),
    st.just(""),
    st.just(""),
    st.builds(lambda start, length: Span(start, start + length), st.integers(0, 60), st.integers(1, 60)),
)
VALUES = {
    "exclude": st.sampled_from(("yes", "no")),
    "cut": st.integers(0, 10_000).map(str),
    "min-stake": st.integers(0, 500).map(str),
    "max-stake": st.integers(0, 1500).map(str),
    "forfeits": st.sampled_from(("pool", "owner", "everyone")),
    "minimum": st.integers(0, 400).map(str),
    "fee-payer": st.sampled_from(("pool", "payee", "owner")),
    "redirect": st.sampled_from(("X", "Y")),
}


@st.composite
def some_policies(draw: st.DrawFn) -> tuple[PolicyTerm, ...]:
    """Any policies, of which no two hold for the same account, kind and block."""
    found: dict[tuple[str, str], PolicyTerm] = {}
    for base in draw(st.lists(POLICY, max_size=8)):
        kind = draw(st.sampled_from(sorted(VALUES)))
        found[base.person, kind] = replace(base, kind=kind, value=draw(VALUES[kind]))
    return tuple(found.values())


@settings(max_examples=200, deadline=None)
@given(
    rules_=some_policies(),
    stakes=st.lists(
        st.dictionaries(st.sampled_from(("ANN", "BOB", "CAT", "DAN", "NOBODYS")), st.integers(1, 1000), min_size=1),
        min_size=1,
        max_size=5,
    ),
    pool=st.integers(1_000, 10**12),
    method=st.sampled_from(METHODS[:2]),
    by=st.sampled_from(("users", "nominators")),
    held=st.dictionaries(st.sampled_from([f"user:{name}" for name in NAMES]), st.integers(-500, 500)),
)
def test_under_any_policies_every_unit_of_the_pool_is_in_one_place(
    rules_: tuple[PolicyTerm, ...],
    stakes: list[dict[str, int]],
    pool: int,
    method: Any,
    by: Any,
    held: dict[str, int],
) -> None:
    terms = replace(
        users(*NAMES),
        referrals=(ReferralTerm("ann", "bob", Span(15)), ReferralTerm("bob", "cat", ALWAYS)),
        rates=(RateTerm("bob", None, 2_500, ALWAYS), RateTerm("cat", None, 1_111, ALWAYS)),
    )
    try:
        plan = planned(terms, stakes, *rules_, pool=pool, fee=30, held=held, method=method, by=by, take_back_bps=5_000)
    except Exception as error:  # everyone excluded in favour of everyone leaves nobody to share among
        assert "nobody" in str(error)
        return
    plan.check()
    assert all(line.amount >= 1 for line in plan.lines)
    assert {kept.goes_to for kept in plan.excluded} <= {"pool", "owner"}


@given(
    stakes=st.dictionaries(st.sampled_from("ABCDE"), st.integers(0, 1000), min_size=1),
    least=st.integers(0, 1500),
    most=st.none() | st.integers(0, 3000),
)
def test_limits_move_stake_and_never_make_or_lose_any(stakes: dict[str, int], least: int, most: int | None) -> None:
    owners = {"A": "ann", "B": "ann", "C": "bob"}
    moment = Moment(1, stakes, {}, {})
    after = counted(moment, owners, {"ann": (least, most)})
    counts = sum(after.stakes.get(address, 0) for address in "AB")
    whole = sum(stakes.get(address, 0) for address in "AB")
    assert after.total == moment.total
    assert counts == (0 if whole < least else whole if most is None else min(whole, most))
    assert all(units >= 0 for units in after.stakes.values())
    assert all(after.stakes.get(address) == stakes.get(address) for address in "CDE")
