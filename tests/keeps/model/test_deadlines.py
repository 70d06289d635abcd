"""When a wait is over: the very seconds at which the real contracts refuse and allow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from valtrac.keeps.model import deadlines

T = 1_604_000_000


@pytest.mark.parametrize(
    ("over", "last_no", "first_yes"),
    [
        (deadlines.call_expired, 21_599, 21_600),
        (deadlines.signature_late, 7_200, 7_201),
        (deadlines.fee_may_be_increased, 14_399, 14_400),
        (deadlines.proof_late, 21_600, 21_601),
        (deadlines.setup_late, 10_800, 10_801),
    ],
)
def test_each_wait_ends_at_its_second(over: Callable[[int, int], bool], last_no: int, first_yes: int) -> None:
    assert not over(T, T + last_no)
    assert over(T, T + first_yes)


def test_an_increase_of_the_fee_begins_the_wait_anew() -> None:
    assert not deadlines.proof_late(T + 14_400, T + 36_000)
    assert deadlines.proof_late(T + 14_400, T + 36_001)


def test_a_term_is_over_after_180_days() -> None:
    assert not deadlines.at_term(T, T + 180 * 86_400 - 1)
    assert deadlines.at_term(T, T + 180 * 86_400)
