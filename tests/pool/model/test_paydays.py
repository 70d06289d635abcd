"""What is paid and carried: the worked paydays, and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.pool.model.paydays import least_gross, payday
from valtrac.pool.model.shares import shared

QTUM = 10**8


@pytest.mark.parametrize(
    ("percent", "gross"),
    [(-100, 50_000), (-10, 90_910), (0, 100_000), (12, 113_637), (50, 200_000), (99, 10_000_000), (100, None)],
)
def test_the_least_share_that_is_paid(percent: int, gross: int | None) -> None:
    assert least_gross(100_000, percent * 100) == gross
    if gross is not None:
        paid, carried = (payday({"a": units}, fee_bps=percent * 100, minimum=100_000) for units in (gross, gross - 1))
        assert paid.payments and not paid.carried
        assert carried.carried == {"a": gross - 1} and not carried.payments


def test_three_days_of_a_pool_with_what_is_carried_over() -> None:
    weights, held = {"a": 9_945 * QTUM, "b": 25 * QTUM, "c": 30 * QTUM}, dict[str, int]()
    paid, revenue = list[dict[str, int]](), list[int]()
    for own in (0, 0, 25_000_000):
        for who, units in shared(25_000_000, weights).each.items():
            held[who] = held.get(who, 0) + units
        day = payday(held, fee_bps=1_200, minimum=100_000)
        paid.append({payment.delegate: payment.net for payment in day.payments})
        revenue.append(day.fees + own)
        held = dict(day.carried)
    assert paid[:2] == [{"a": 21_879_000}, {"a": 21_879_000, "b": 110_000, "c": 132_000}]
    assert paid[2]["a"] == 21_879_000
    assert revenue == [2_983_500, 3_016_500, 27_983_500]


def test_a_bonus_is_the_pools_own_and_a_fee_of_all_is_its_revenue() -> None:
    bonus = payday({"a": 400_000_000}, fee_bps=-10_000, minimum=100_000)
    assert (bonus.paid, bonus.fees) == (800_000_000, -400_000_000)
    kept = payday({"a": 5, "b": 7}, fee_bps=10_000, minimum=100_000)
    assert (kept.paid, kept.fees, kept.carried) == (0, 12, {})


def test_what_the_old_sample_would_have_been_paid() -> None:
    shares = dict(zip("abcd", (1_359_008, 2_534_986_018, 112_492_863, 108_758_610), strict=True))
    day = payday(shares, fee_bps=1_200, minimum=100_000)
    assert [payment.net for payment in day.payments] == [1_195_927, 2_230_787_695, 98_993_719, 95_707_576]
    assert (day.paid, day.fees) == (2_426_684_917, 330_911_582)


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10**13), max_size=12),
    st.integers(-10_000, 10_000),
    st.integers(0, 10**9),
)
def test_every_share_is_paid_kept_or_carried_whole(shares: dict[str, int], fee_bps: int, minimum: int) -> None:
    day = payday(shares, fee_bps=fee_bps, minimum=minimum)
    assert day.paid + day.fees + sum(day.carried.values()) == sum(shares.values())
    assert all(payment.net >= max(1, minimum) for payment in day.payments) or fee_bps == 10_000
    assert {payment.delegate for payment in day.payments} | set(day.carried) == {who for who, u in shares.items() if u}


@pytest.mark.parametrize(("shares", "fee_bps"), [({"a": -1}, 0), ({"a": 1}, 10_001), ({"a": 1}, -10_001)])
def test_nothing_negative_and_no_fee_beyond_all(shares: dict[str, int], fee_bps: int) -> None:
    with pytest.raises(ValueError, match=r"below nothing|a fee is"):
        payday(shares, fee_bps=fee_bps, minimum=0)
