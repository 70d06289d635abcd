"""Shares of a reward: an oracle written from the document, the worked examples, and what always holds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.pool.model.shares import shared

WEIGHTS = {"a": 100_000_000_000, "b": 2_500_000_000, "c": 33_333_333_333, "d": 7_777_777_777}


def oracle(reward: int, weights: dict[str, int]) -> dict[str, int]:
    """Each mature satoshi of the pool earns the same part of the reward; parts of a satoshi are not paid."""
    pool = sum(Fraction(weight) for weight in weights.values())
    return {who: int(Fraction(reward) / pool * weight) for who, weight in weights.items()} if pool else {}


@pytest.mark.parametrize(
    ("reward", "each", "remainder"),
    [
        (40_000_000, (27_852_998, 696_324, 9_284_332, 2_166_344), 2),
        (25_000_001, (17_408_124, 435_203, 5_802_708, 1_353_965), 1),
        (399_999_999, (278_529_979, 6_963_249, 92_843_326, 21_663_442), 3),
    ],
)
def test_the_worked_rewards(reward: int, each: tuple[int, ...], remainder: int) -> None:
    found = shared(reward, WEIGHTS)
    assert (tuple(found.each.values()), found.remainder) == (each, remainder)
    assert tuple(found.each) == tuple(WEIGHTS)


@pytest.mark.parametrize(
    ("reward", "delegates", "each", "remainder"),
    [(100_000_001, 3, 33_333_333, 2), (25_000_003, 2, 12_500_001, 1), (25_000_001, 2, 12_500_000, 1)],
)
def test_equal_weights_get_the_same_and_nothing_is_made_up(
    reward: int, delegates: int, each: int, remainder: int
) -> None:
    found = shared(reward, {str(number): 7 for number in range(delegates)})
    assert set(found.each.values()) == {each}
    assert found.remainder == remainder


def test_who_has_left_is_credited_no_more() -> None:
    first, second = shared(40_000_000, {"a": 100, "b": 300}), shared(40_000_000, {"a": 100})
    assert {who: first.each.get(who, 0) + second.each.get(who, 0) for who in "ab"} == {"a": 50_000_000, "b": 30_000_000}


def test_a_reward_without_weights_is_the_pools() -> None:
    assert shared(25_000_000, {}).remainder == 25_000_000
    assert shared(25_000_000, {"a": 0}) == shared(25_000_000, {})


@given(
    st.integers(0, 10**12),
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10**16), max_size=12),
)
def test_shares_and_remainder_are_the_reward_and_as_the_document_has_it(reward: int, weights: dict[str, int]) -> None:
    found = shared(reward, weights)
    assert sum(found.each.values()) + found.remainder == reward
    assert found.each == {who: units for who, units in oracle(reward, weights).items() if units}
    assert not weights or not any(weights.values()) or found.remainder < len(weights)


@pytest.mark.parametrize(("reward", "weights"), [(-1, {"a": 1}), (1, {"a": -1})])
def test_nothing_negative_is_shared(reward: int, weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="below nothing"):
        shared(reward, weights)
