"""Weights from sums at checkpoints are those of adding up every snapshot, to the last unit, in any world."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.databases import fresh
from tests.payout_world import address
from valtrac.core import wide
from valtrac.core.errors import Refused, ValtracError
from valtrac.database import engine as engines
from valtrac.database import opening, triggers
from valtrac.payouts import weighing
from valtrac.payouts.inputs import BY_SUMS, read_inputs
from valtrac.payouts.model.plans import Rules
from valtrac.payouts.model.weights import Weights, weigh
from valtrac.people.model import referrals
from valtrac.people.model.cascade import cascade
from valtrac.people.model.policies import By
from valtrac.people.model.terms import (
    AddressTerm,
    PolicyTerm,
    RateTerm,
    ReferralTerm,
    Span,
    Terms,
    UserTerm,
)
from valtrac.snapshots import rulings, verifying
from valtrac.snapshots.model.running import shares
from valtrac.snapshots.model.stakes import METHODS, SHARE_ONE, Snapshot
from valtrac.snapshots.store import snapshots as stored
from valtrac.snapshots.store import sums
from valtrac.snapshots.store import tables as t

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PEOPLE = 9
HOTKEYS = (f"HK{number}" for number in itertools.count())
LARGEST_SPAN = 30_000


@pytest.fixture(scope="module", autouse=True)
def short_spans() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "SPAN", 4)
        patch.setattr(stored, "DEEPEST", 5)
        patch.setattr(stored, "LOOK_AFTER", 1)
        yield


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    opened = opening.open_engine(fresh(request.param, tmp_path_factory.mktemp("weighing")))
    yield opened
    opened.dispose()


def history(dice: random.Random, hotkey: str) -> list[Snapshot]:
    """Subnets with snapshots at uneven distances; people come, go and come back; the owner's stake grows or falls."""
    netuids = dice.choice([[0], [0], [3], [0, 3], [0, 3, 7]])
    unit = dice.choice([1, 10**3, 10**9, 10**9, 10**12, 2**59])
    stakes = {netuid: {n: dice.randrange(9) * unit for n in range(PEOPLE) if dice.random() < 0.6} for netuid in netuids}
    level, block, taken = dict.fromkeys(netuids, 5 * unit), 0, []
    falls = dice.random() < 0.3
    for hour in range(dice.randrange(1, 26)):
        block += dice.choice([1, 1, 2, 300, 300, 300, 900])
        for netuid in netuids:
            for n in list(stakes[netuid]):
                stakes[netuid][n] += stakes[netuid][n] // 1000
            if dice.random() < 0.4:
                stakes[netuid].pop(dice.randrange(PEOPLE), None)
                stakes[netuid][dice.randrange(PEOPLE)] = dice.randrange(7) * unit + dice.randrange(3)
            if dice.random() < 0.05:
                stakes[netuid].clear()
            level[netuid] += dice.choice([0, 1, unit, -1 if falls else 2])
            if dice.random() < 0.9 or len(netuids) == 1:  # a subnet may be missing at a block
                held = {address(n): min(units, 2**61) for n, units in stakes[netuid].items()}
                price = None if dice.random() < 0.004 else dice.choice([10**9, 31_000_000, 1, 10**9])
                at = NOON + timedelta(hours=hour)
                taken.append(Snapshot(hotkey, netuid, block, "", at, "OWN", max(0, level[netuid]), held, price))
    return taken


def recorded(engine: sa.Engine, dice: random.Random, taken: list[Snapshot]) -> list[Snapshot]:
    """Store them, some late, and rule some out; return those that count."""
    late = [snapshot for snapshot in taken if dice.random() < 0.08]
    in_order = [snapshot for snapshot in taken if snapshot not in late]
    cut = dice.randrange(len(in_order) + 1)
    for snapshot in (*in_order[:cut], *late, *in_order[cut:]):
        with engines.writing(engine) as conn:
            assert stored.add(conn, snapshot)
    out = set[tuple[int, int]]()
    for snapshot in taken:
        if dice.random() < 0.04:
            rulings.rule_out(engine, snapshot.hotkey, snapshot.netuid, snapshot.block, "a slip in a file")
            out.add((snapshot.netuid, snapshot.block))
    return [snapshot for snapshot in taken if (snapshot.netuid, snapshot.block) not in out]


def some_terms(dice: random.Random, last: int) -> Terms:
    """Users with several addresses, a forest of referrals, rates and policies, all over random spans."""

    def span() -> Span:
        begin = dice.choice([0, 0, dice.randrange(last + 2)])
        return Span(begin, dice.choice([None, None, begin + dice.randrange(last + 2)]))

    names = ["ann", "bob", "cat", "dan", "eve"]
    users = tuple(UserTerm(name, f"user:{n}", span()) for n, name in enumerate(names))
    addresses = tuple(AddressTerm(dice.choice(names), address(n), span()) for n in range(PEOPLE) if dice.random() < 0.8)
    tree = tuple(
        ReferralTerm(name, names[dice.randrange(n)], span())
        for n, name in enumerate(names)
        if n and dice.random() < 0.7
    )
    rates = tuple(RateTerm(name, None, dice.choice([0, 1, 2500, 9_999, 10_000]), span()) for name in names)
    kinds = {"exclude": "yes", "cut": "1234", "forfeits": dice.choice(["pool", "owner", "everyone"])}
    kinds |= {"min-stake": str(dice.choice([1, 10**9, 3 * 10**12])), "max-stake": str(dice.choice([0, 2, 4 * 10**12]))}
    people = ["*", *(f"user:{n}" for n in range(5)), *(f"addr:{address(n)}" for n in range(3))]
    policies = tuple(
        PolicyTerm(person, kind, value, span())
        for person in people
        for kind, value in kinds.items()
        if dice.random() < 0.15 and not (person == "*" and kind == "exclude")
    )
    capped = PolicyTerm("*", "max-stake", str(dice.randrange(1, 9) * 10**9 + 12_345), Span())
    chosen = dice.choice([(), (), policies, (capped,)])
    return Terms(users, addresses, (), tree, rates, chosen)


def some_rules(dice: random.Random, taken: list[Snapshot]) -> Rules:
    blocks = sorted({snapshot.block for snapshot in taken}) or [1]
    ends = sorted(dice.choice([*blocks, 0, dice.randrange(blocks[-1] + 2)]) for _ in range(2))
    first, last = dice.choice([ends, ends, [0, blocks[-1]], [blocks[0], blocks[-1]]])
    netuids = sorted({snapshot.netuid for snapshot in taken})
    by: By = dice.choice(["users", "nominators"])
    return Rules(
        10**12,
        first,
        last,
        dice.choice([*netuids, None]),
        dice.choice(METHODS),
        by,
        ignore_withdrawals=dice.random() < 0.5,
        sealed=BY_SUMS,
    )


def outcome(weights: Weights) -> tuple[dict[str, int], tuple[str, ...]]:
    return dict(weights.names), weights.notes


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(seed=st.integers(0, 2**40))
def test_sums_give_what_adding_up_every_snapshot_gives(engine: sa.Engine, seed: int) -> None:
    dice, hotkey = random.Random(seed), next(HOTKEYS)
    taken = recorded(engine, dice, history(dice, hotkey))
    for _ in range(4):
        terms, rules = some_terms(dice, max((s.block for s in taken), default=1)), some_rules(dice, taken)
        with engines.reading(engine) as conn:
            try:
                expected = outcome(weigh(rules, *weighing.moments(conn, hotkey, rules), terms, interval=300))
            except Refused as refused:
                event("refused")
                with pytest.raises(Refused) as caught:
                    weighing.weigh(conn, hotkey, rules, terms, interval=300)
                assert caught.value.as_dict() == refused.as_dict()
                continue
            event(rules.method)
            assert outcome(weighing.weigh(conn, hotkey, rules, terms, interval=300)) == expected


def test_every_checkpoint_that_is_valid_is_the_sum_of_all_before_it(engine: sa.Engine) -> None:
    dice = random.Random(3)
    for _ in range(12):
        recorded(engine, dice, history(dice, next(HOTKEYS)))
    with engines.reading(engine) as conn:
        states = conn.execute(sa.select(t.checkpoints.c.state, sa.func.count()).group_by(t.checkpoints.c.state)).all()
        assert {state: number > 5 for state, number in states} == {"valid": True, "void": True}
        found = [(block, wrong) for scope in sums.scopes(conn) for block, wrong in sums.compared(conn, scope)]
        assert found
        assert [wrong for _, wrong in found if wrong] == []


def test_a_checkpoint_that_is_not_the_sum_is_told(engine: sa.Engine) -> None:
    hotkey = next(HOTKEYS)
    for n in range(1, 14):
        with engines.writing(engine) as conn:
            stored.add(
                conn, Snapshot(hotkey, 0, 300 * n, "", NOON, "OWN", n, {address(n % 5): n, address(7): 3}, 10**9)
            )
    with engines.writing(engine) as conn:
        on = " ON checkpoints" if conn.dialect.name == "postgresql" else ""
        conn.exec_driver_sql(f"DROP TRIGGER checkpoints_frozen{on}")
        other = t.checkpoints.update().where(t.checkpoints.c.hotkey == hotkey, t.checkpoints.c.block > 1_500)
        conn.execute(other.values(grown=99))
        triggers.install(conn)
    with pytest.raises(ValtracError) as caught:
        verifying.verify(engine)
    assert [problem.partition(":")[0][-11:] for problem in caught.value.problems] == [" block 2700", " block 3900"]
    assert "the sum of weights at this block is not that of the snapshots" in caught.value.problems[0]


def test_a_seal_knows_its_own_snapshots_and_no_others(engine: sa.Engine) -> None:
    hotkey, dice = next(HOTKEYS), random.Random(5)
    taken = [
        Snapshot(hotkey, 0, 300 * n, "", NOON, "OWN", n, {address(n % 5): n, address(7): 3}, 10**9)
        for n in range(1, 30)
    ]
    late, middle = taken[2], taken[14]

    def sealed(first: int, last: int) -> object:
        with engines.reading(engine) as conn:
            return read_inputs(conn, hotkey, Rules(1, first, last, dice.choice([0]), sealed=BY_SUMS)).sealed

    for snapshot in taken:
        if snapshot not in (late, middle):
            with engines.writing(engine) as conn:
                stored.add(conn, snapshot)
    behind, within = sealed(3_000, 8_000), sealed(1, 2_000)
    with engines.writing(engine) as conn:
        stored.add(conn, late)
    assert sealed(3_000, 8_000) == behind  # it lies before these
    assert sealed(1, 2_000) != within
    with engines.writing(engine) as conn:
        stored.add(conn, middle)
    with_it = sealed(3_000, 8_000)
    assert with_it != behind
    rulings.rule_out(engine, hotkey, 0, middle.block, "a slip in a file")
    assert sealed(3_000, 8_000) == behind
    assert sealed(3_000, 7_999) == sealed(2_701, 7_900)  # the same snapshots


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), st.integers(0, 2**40))
def test_a_share_is_the_whole_quotient(units: list[int], more: int) -> None:
    total = sum(units) + more
    if total:
        got = wide.to_ints(shares(wide.of_ints(units, 1), total))
        assert got == [one * SHARE_ONE // total for one in units]


@given(st.lists(st.tuples(st.integers(0, 2**33), st.integers(2**33, 2**62)), min_size=1, max_size=20))
def test_a_share_of_a_total_that_fits_a_word_is_the_whole_quotient(pairs: list[tuple[int, int]]) -> None:
    for part, total in pairs:
        units = [part, total - part, total, 0, 1, total - 1]
        got = wide.to_ints(shares(wide.of_ints(units, 1), total))
        assert got == [one * SHARE_ONE // total for one in units]


wides = st.lists(st.integers(0, 2**150 - 1), min_size=1, max_size=9)


@given(wides, st.integers(0, 2**41 - 1), st.integers(1, 2**32 - 1), st.randoms())
def test_wide_numbers_are_whole_numbers(numbers: list[int], factor: int, small: int, dice: random.Random) -> None:
    column = wide.of_ints(numbers, 3)
    assert wide.to_ints(column) == numbers
    assert wide.total(column) == sum(numbers)
    assert wide.to_ints(wide.times(column, factor, 3)) == [number * factor for number in numbers]
    assert wide.to_ints(wide.divided(column, small)) == [number // small for number in numbers]
    rates = [dice.randrange(2**32) for _ in numbers]
    scaled = wide.scaled(column, wide.of_ints(rates, 1)[0])
    assert wide.to_ints(scaled) == [number * rate for number, rate in zip(numbers, rates, strict=True)]
    both = column.copy()
    wide.add(both, scaled)
    assert wide.to_ints(both) == [number * (rate + 1) for number, rate in zip(numbers, rates, strict=True)]
    wide.subtract(both, column)
    assert wide.to_ints(both) == wide.to_ints(scaled)
    groups = [dice.randrange(4) for _ in numbers]
    expected = [sum(number for number, group in zip(numbers, groups, strict=True) if group == at) for at in range(4)]
    import numpy as np

    assert wide.to_ints(wide.grouped(column, np.array(groups, dtype=np.int64), 4)) == expected


@given(st.integers(0, 2**40), st.integers(1, 60))
def test_the_cascade_over_columns_is_the_cascade_name_by_name(seed: int, users: int) -> None:
    dice = random.Random(seed)
    names = [f"u{n}" for n in range(users)]
    tree = {
        name: (names[dice.randrange(n)], dice.choice([0, 1, 2500, 9_999, 10_000]))
        for n, name in enumerate(names)
        if n and dice.random() < 0.8
    }
    base = {name: dice.choice([0, 1, 9_999, dice.randrange(2**110)]) for name in names if dice.random() < 0.7}
    base |= {"aside": 7}
    expected, _ = referrals.cascade(base, tree)
    weights, told = cascade(wide.of_ints(list(base.values()), 3), list(base), tree)
    assert {name: weight for name, weight in zip(told, wide.to_ints(weights), strict=True) if weight} == {
        name: weight for name, weight in expected.items() if weight
    }
