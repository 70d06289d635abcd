"""Plans: exact to the last unit, the same on every machine, and nothing lost on the way."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.core import money
from valtrac.core.errors import BadInput, Refused
from valtrac.payouts.model import plans
from valtrac.payouts.model.plans import Rules
from valtrac.payouts.model.sharing import share_out
from valtrac.payouts.model.weights import weigh
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
from valtrac.snapshots.model import stakes
from valtrac.snapshots.model.stakes import Snapshot, moments

EXAMPLE = json.loads((Path(__file__).parents[2] / "data" / "worked-example.json").read_text(encoding="utf-8"))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def snap(
    block: int, stakes_: dict[str, int], *, netuid: int = 0, owner_stake: int = 0, price: int | None = 10**9
) -> Snapshot:
    return Snapshot("HK", netuid, block, "", NOON, "OWN", owner_stake, stakes_, price)


def span(row: dict[str, Any]) -> Span:
    return Span(row["from"], row.get("until"))


def example_terms() -> Terms:
    world = EXAMPLE["world"]
    return Terms(
        tuple(UserTerm(row["name"], row["name"], span(row)) for row in world["users"]),
        tuple(AddressTerm(row["user"], row["address"], span(row)) for row in world["addresses"]),
        tuple(PayoutTerm(row["user"], row["address"], span(row)) for row in world["addresses"] if row["payout"]),
        tuple(ReferralTerm(row["referee"], row["referrer"], span(row)) for row in world["referrals"]),
        tuple(RateTerm(row["referrer"], None, row["bps"], span(row)) for row in world["rates"]),
    )


def example_snapshots(netuid: int | None) -> Iterator[Snapshot]:
    for row in EXAMPLE["world"]["snapshots"]:
        for key, subnet in row["netuids"].items():
            if netuid in (None, int(key)):
                others = {a: units for a, units in subnet["stakes"].items() if a != row["owner"]}
                yield Snapshot(
                    "HK",
                    int(key),
                    row["block"],
                    "",
                    NOON,
                    row["owner"],
                    subnet["stakes"][row["owner"]],
                    others,
                    subnet["price_rao"],
                )


@pytest.mark.parametrize("number", range(len(EXAMPLE["plans"])))
def test_the_worked_example_is_reproduced_to_the_rao(number: int) -> None:
    case, expected = EXAMPLE["plans"][number]["case"], EXAMPLE["plans"][number]["plan"]
    netuid = None if case["netuid"] == "all" else case["netuid"]
    rules = Rules(
        case["pool"], case["from"], case["to"], netuid, case["method"], case["by"], case["fee_policy"], case["minimum"]
    )
    all_ = moments(example_snapshots(netuid), valued=netuid is None)
    before = [moment for moment in all_ if moment.block < rules.from_block]
    range_ = [moment for moment in all_ if rules.from_block <= moment.block <= rules.to_block]
    weights = weigh(rules, range_, before[-1] if before else None, example_terms())
    plan = share_out(rules, weights, example_terms(), EXAMPLE["world"]["held"], case["fee"], wallet="W0")
    assert {
        "pool": plan.pool,
        "fee_policy": plan.fee_policy,
        "fee_from_pool": plan.fee_from_pool,
        "unassigned": plan.unassigned,
        "total": plan.total,
        "notes": list(plan.notes),
        "excluded": list(plan.excluded),
        "held": [{"user": kept.user, "amount": kept.amount, "reason": kept.reason} for kept in plan.held],
        "lines": [
            {
                "user": line.user,
                "address": line.address,
                "from_pool": line.from_pool,
                "released": line.released,
                "fee_share": line.fee_share,
                "amount": line.amount,
            }
            for line in plan.lines
        ],
    } == expected


# -- random worlds against an independent oracle in exact fractions ---------------------------------


def forest(
    seed: int, users: int, layers: int, snapshots: int, *, rates: tuple[int, ...] = (0, 1, 2500, 9_999, 10_000)
) -> tuple[Terms, list[Snapshot]]:
    """Terms and snapshots: every user in a tree at most `layers` deep, some addresses nobody's."""
    dice = random.Random(seed)
    names = [f"u{number:05}" for number in range(users)]
    dice.shuffle(names)
    depth, referrals = dict[str, int](), list[ReferralTerm]()
    for place, name in enumerate(names):
        above = names[dice.randrange(place)] if place and dice.random() < 0.9 else None
        if above is None or depth[above] + 1 >= layers:
            depth[name] = 0
        else:
            depth[name] = depth[above] + 1
            referrals.append(ReferralTerm(name, above, Span()))
    addresses = [AddressTerm(name, f"{name}-{n}", Span()) for name in names for n in range(dice.randrange(1, 3))]
    terms = Terms(
        tuple(UserTerm(name, name, Span()) for name in names),
        tuple(addresses),
        tuple(PayoutTerm(name, f"{name}-0", Span()) for name in names),
        tuple(referrals),
        tuple(RateTerm(name, None, dice.choice(rates), Span()) for name in names),
    )
    everyone = [term.address for term in addresses] + [f"stranger{n}" for n in range(3)]
    taken = [
        snap(
            100 + 300 * place,
            {a: dice.choice((0, 1, 7, dice.randrange(10**6), dice.randrange(10**15))) for a in everyone},
        )
        for place in range(snapshots)
    ]
    return terms, taken


def oracle(terms: Terms, taken: list[Snapshot], pool: int) -> dict[str, Fraction]:
    """Exact amounts by another road: fractions, recursion from the roots' point of view."""
    base: dict[str, Fraction] = {}
    owner_of = {term.address: term.user for term in terms.addresses}
    counted = [s for s in taken if sum(s.stakes.values())]
    for s in counted:
        whole = sum(s.stakes.values())
        for address, units in s.stakes.items():
            name = owner_of.get(address, "")
            base[name] = base.get(name, Fraction(0)) + Fraction(units, whole) / len(counted)
    above = {term.referee: term.referrer for term in terms.referrals}
    rate = {term.referrer: Fraction(term.rate_bps, 10_000) for term in terms.rates}
    below: dict[str, list[str]] = {}
    for referee, referrer in above.items():
        below.setdefault(referrer, []).append(referee)

    gross: dict[str, Fraction] = {}

    def collect(name: str) -> Fraction:
        gross[name] = base.get(name, Fraction(0)) + sum(
            (collect(referee) * rate[name] for referee in below.get(name, [])), Fraction(0)
        )
        return gross[name]

    for term in terms.users:
        if term.name not in above:
            collect(term.name)
    return {name: pool * (units * (1 - rate[above[name]]) if name in above else units) for name, units in gross.items()}


def planned(terms: Terms, taken: list[Snapshot], pool: int, method: stakes.Method = "mean-share") -> plans.PayoutPlan:
    rules = Rules(pool, 0, 10**9, 0, method)
    return share_out(rules, weigh(rules, moments(taken, valued=False), None, terms), terms, {}, 0)


@given(
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.integers(1, 20),
    st.integers(1, 4),
    st.integers(1, 10**12) | st.integers(1, 50),
)
@settings(max_examples=150, deadline=None)
def test_each_amount_is_within_one_unit_of_the_exact_fraction(
    seed: int, users: int, layers: int, snapshots: int, pool: int
) -> None:
    terms, taken = forest(seed, users, layers, snapshots)
    if not any(sum(s.stakes.values()) for s in taken):
        return
    plan = planned(terms, taken, pool)
    exact = oracle(terms, taken, pool)
    got = {line.user: line.from_pool for line in plan.lines} | {kept.user: kept.amount for kept in plan.held}
    assert all(abs(got.get(name, 0) - exact[name]) < 1 for name in exact)
    assert sum(got.values()) + plan.unassigned == pool


def test_a_forest_of_thousands_twenty_layers_deep_is_exact() -> None:
    terms, taken = forest(7, 3_000, 20, 2)
    pool = 123_456_789_012_345
    plan, exact = planned(terms, taken, pool), oracle(terms, taken, pool)
    got = {line.user: line.from_pool for line in plan.lines}
    assert max(abs(got.get(name, 0) - exact[name]) for name in exact) < 1
    assert sum(got.values()) + plan.unassigned == pool


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_what_is_read_changes_nothing(seed: int, dice: random.Random) -> None:
    terms, taken = forest(seed, 12, 5, 3)
    if not any(sum(s.stakes.values()) for s in taken):
        return

    def shuffled(items: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(dice.sample(list(items), len(list(items))))

    mixed = Terms(*(shuffled(getattr(terms, name)) for name in ("users", "addresses", "payouts", "referrals", "rates")))
    turned = [
        Snapshot(
            s.hotkey, s.netuid, s.block, "", s.at, s.owner, s.owner_stake, dict(shuffled(s.stakes.items())), s.price_rao
        )
        for s in shuffled(taken)
    ]
    assert planned(terms, taken, 10**9) == planned(mixed, turned, 10**9)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 5), min_size=1), st.integers(0, 20))
def test_no_unit_is_lost_or_made_by_a_split(weights: dict[str, int], total: int) -> None:
    if sum(weights.values()):
        shares = money.split(total, weights)
        assert sum(shares.values()) == total
        assert all(shares[key] == 0 for key in weights if weights[key] == 0)


def test_a_tie_goes_to_the_smaller_name_and_unassigned_comes_last() -> None:
    assert money.split(1, {"bob": 1, "alice": 1}) == {"bob": 0, "alice": 1}
    assert money.split(2, {"zoe": 1, "unassigned": 1, "yan": 1}, last="unassigned") == {
        "zoe": 1,
        "unassigned": 0,
        "yan": 1,
    }


# -- the rules, one by one ----------------------------------------------------------------------------


def users(*names: str, until: dict[str, int] | None = None) -> Terms:
    spans = {name: Span(0, (until or {}).get(name)) for name in names}
    return Terms(
        tuple(UserTerm(n, n, spans[n]) for n in names),
        tuple(AddressTerm(n, n.upper(), spans[n]) for n in names),
        tuple(PayoutTerm(n, n.upper(), spans[n]) for n in names),
    )


def amounts(plan: plans.PayoutPlan) -> dict[str, int]:
    return {line.user: line.amount for line in plan.lines}


def test_a_payment_to_the_paying_wallet_itself_is_excluded() -> None:
    terms, rules = users("ann", "bob"), Rules(100, 0, 10, 0)
    weights = weigh(rules, moments([snap(5, {"ANN": 1, "BOB": 1})], valued=False), None, terms)
    plan = share_out(rules, weights, terms, {}, 0, wallet="BOB")
    assert amounts(plan) == {"ann": 50}
    assert [(kept.user, kept.amount, kept.reason) for kept in plan.excluded] == [("bob", 50, "own wallet")]


def test_who_is_excluded_by_decision_is_listed_with_the_reason() -> None:
    terms, rules = users("ann", "bob"), Rules(100, 0, 10, 0)
    terms = replace(terms, policies=(PolicyTerm("ann", "exclude", "yes", Span(0)),))
    weights = weigh(rules, moments([snap(5, {"ANN": 1, "BOB": 1})], valued=False), None, terms)
    plan = share_out(rules, weights, terms, {}, 0)
    assert [(kept.user, kept.amount, kept.reason, kept.goes_to) for kept in plan.excluded] == [
        ("ann", 50, "excluded", "pool")
    ]


def test_a_held_balance_alone_is_paid_once_it_reaches_the_minimum() -> None:
    terms, rules = users("ann", "bob"), Rules(100, 0, 10, 0, minimum=500)
    weights = weigh(rules, moments([snap(5, {"ANN": 1})], valued=False), None, terms)
    plan = share_out(rules, weights, terms, {"bob": 500}, 0)
    assert amounts(plan) == {"bob": 500}
    assert [(kept.user, kept.reason) for kept in plan.held] == [("ann", "below the minimum")]


def test_a_fee_that_swallows_the_pool_is_refused() -> None:
    terms, rules = users("ann"), Rules(100, 0, 10, 0)
    weights = weigh(rules, moments([snap(5, {"ANN": 1})], valued=False), None, terms)
    with pytest.raises(Refused, match="leaves nothing"):
        share_out(rules, weights, terms, {}, 100)


def test_all_subnets_without_a_price_are_refused_with_the_block() -> None:
    with pytest.raises(Refused, match="netuid 3 has no price at block 42"):
        moments([snap(42, {"ANN": 1}, netuid=3, price=None)], valued=True)


def test_an_owner_stake_that_fell_is_refused_unless_it_counts_as_zero() -> None:
    taken = [
        snap(100, {"ANN": 1}, owner_stake=50),
        snap(200, {"ANN": 1}, owner_stake=40),
        snap(300, {"ANN": 1}, owner_stake=60),
    ]
    rules = Rules(100, 0, 300, 0, "accrual")
    with pytest.raises(Refused, match="fell between blocks 100 and 200"):
        weigh(rules, moments(taken, valued=False), None, users("ann"))
    forgiving = Rules(100, 0, 300, 0, "accrual", ignore_withdrawals=True)
    assert weigh(forgiving, moments(taken, valued=False), None, users("ann")).names["ann"] > 0


def test_an_owner_stake_that_never_grew_is_refused() -> None:
    with pytest.raises(Refused, match="did not grow"):
        weigh(Rules(100, 0, 300, 0, "accrual"), moments([snap(100, {"ANN": 1})], valued=False), None, users("ann"))


def test_gaps_and_blocks_after_the_last_snapshot_are_noted() -> None:
    taken = moments([snap(300, {"ANN": 1}), snap(1500, {"ANN": 1})], valued=False)
    notes = weigh(Rules(100, 1, 1600, 0), taken, None, users("ann"), interval=300).notes
    assert notes == (
        "no snapshot in blocks 301 to 1499: 74.9 % of the range",
        "blocks 1501 to 1600 come after the last snapshot and carry no weight",
    )


def test_a_snapshot_with_nobody_but_the_owner_counts_nothing_and_is_noted() -> None:
    taken = moments([snap(100, {}), snap(200, {"ANN": 1})], valued=False)
    weights = weigh(Rules(100, 0, 200, 0), taken, None, users("ann"))
    assert "block 100 counts nothing" in weights.notes[0]


def test_without_anyone_but_the_owner_there_is_no_plan() -> None:
    with pytest.raises(Refused, match="nobody but the owner"):
        weigh(Rules(100, 0, 200, 0), moments([snap(100, {})], valued=False), None, users("ann"))


def test_a_range_without_snapshots_is_refused() -> None:
    with pytest.raises(Refused, match="no snapshot lies in blocks 5 to 9"):
        weigh(Rules(100, 5, 9, 0), [], None, Terms())


def test_a_referral_acts_only_while_both_ends_are_in_force() -> None:
    terms = users("ann", "bob", "cat", until={"bob": 150})
    tree = Terms(
        terms.users,
        terms.addresses,
        terms.payouts,
        (ReferralTerm("cat", "bob", Span()), ReferralTerm("bob", "ann", Span())),
        (RateTerm("bob", None, 5000, Span()), RateTerm("ann", None, 10_000, Span())),
    )
    taken = moments([snap(100, {"CAT": 1}), snap(200, {"CAT": 1})], valued=False)
    rules = Rules(100, 0, 200, 0)
    plan = share_out(rules, weigh(rules, taken, None, tree), tree, {}, 0)
    # at 100 half of it goes to bob and from there all to ann; at 200 bob is gone and cat keeps it all
    assert amounts(plan) == {"ann": 25, "cat": 75}


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (Rules(0, 0, 1), "pool"),
        (Rules(-5, 0, 1), "pool"),
        (Rules(10**19, 0, 1), "pool"),
        (Rules(1, 5, 4), "from block"),
        (Rules(1, -1, 4), "from and to"),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_their_field(rules: Rules, field: str) -> None:
    with pytest.raises(BadInput, match=field):
        plans.check_rules(rules)


@pytest.mark.parametrize("text", ["-1", "1e3", "NaN", "inf", "1,5", "0x10", "1.0000000001", "", " ", "٣", "1" * 90])
def test_what_is_no_amount_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(BadInput, match="pool"):
        money.parse_units(text, field="pool")


@given(st.integers(0, 2**200))
def test_an_amount_reads_back_as_it_was_written(units: int) -> None:
    assert money.parse_units(money.decimal_text(units), field="x") == units


@pytest.mark.parametrize(
    ("text", "bps"),
    [("0.25", 2500), ("25%", 2500), ("0", 0), ("1", 10_000), ("100%", 10_000), ("0.0001", 1), ("12.34%", 1234)],
)
def test_a_rate_is_a_fraction_or_a_percentage(text: str, bps: int) -> None:
    assert money.parse_bps(text, field="rate") == bps


@pytest.mark.parametrize("text", ["20", "1.1", "101%", "-0.1", "0.00001", "half", "", "nan"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="rate"):
        money.parse_bps(text, field="rate")
