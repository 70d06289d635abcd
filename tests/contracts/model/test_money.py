"""Which payments the money at hand allows, and what is asked of exchanges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.contracts.model.rows import due
from valtrac.contracts.model.contracts import WHOLE
from valtrac.contracts.model.money import Budget, affordable, fee_each, missing, withdrawal_for


def test_what_is_too_large_is_passed_over_and_smaller_ones_after_it_are_not() -> None:
    dues = [due(1, 50), due(2, 100), due(3, 40)]
    assert [paid.id for paid in affordable(dues, Budget(left=100, allowed=1_000, each=3, most=9))] == [1, 3]
    assert [paid.id for paid in affordable(dues, Budget(left=1_000, allowed=95, each=3, most=9))] == [1, 3]
    assert [paid.id for paid in affordable(dues, Budget(left=1_000, allowed=1_000, each=3, most=2))] == [1, 2]


@given(some.lists(some.integers(1, 10**6), max_size=8), some.integers(0, 10**6), some.integers(0, 10**6))
def test_never_more_leaves_than_there_is_or_than_the_cap_allows(units: list[int], left: int, allowed: int) -> None:
    paid = affordable([due(place, one) for place, one in enumerate(units)], Budget(left, allowed, 7, 5))
    assert sum(row.units + 7 for row in paid) <= left
    assert sum(row.units for row in paid) <= allowed
    assert len(paid) <= 5


def test_the_fee_set_aside_is_twice_the_mean_rounded_up() -> None:
    assert [fee_each(0, 0), fee_each(10, 4), fee_each(11, 4)] == [0, 5, 6]


def test_what_lacks_counts_the_reserve_and_what_is_under_way_but_no_loan_to_an_exchange() -> None:
    dues = [due(1, 60), due(2, 40)]
    assert missing(dues, lent=0, reserved=0, fees=2, reserve=10, funds=100) == 100 + 2 * 2 + 10 - 100
    assert missing(dues, lent=0, reserved=30, fees=0, reserve=0, funds=100) == 30
    assert missing(dues, lent=100, reserved=0, fees=2, reserve=10, funds=0) == 0
    assert missing(dues, lent=0, reserved=0, fees=0, reserve=0, funds=500) == 0


@pytest.mark.parametrize(
    ("lacking", "available", "expected"),
    [
        (5 * WHOLE, 100 * WHOLE, 6 * WHOLE),
        (5 * WHOLE + 1, 100 * WHOLE, 7 * WHOLE),
        (95 * WHOLE, 100 * WHOLE, 90 * WHOLE),
        (5 * WHOLE, 20 * WHOLE, 0),
        (5 * WHOLE, 21 * WHOLE, 6 * WHOLE),
    ],
)
def test_an_exchange_is_asked_for_whole_bts_and_keeps_what_it_is_to_keep(
    lacking: int, available: int, expected: int
) -> None:
    asked = withdrawal_for(lacking, available=available, fee=WHOLE, least=20 * WHOLE, keep=10 * WHOLE)
    assert asked == expected
