"""A fortnight of a custodian account: nothing paid twice, nothing owed forgotten, every satoshi explained."""

from __future__ import annotations

import pytest

from tests.simulation.model import WHOLE, Reckoning, Seen, compare
from tests.simulation.year import simulate


@pytest.mark.parametrize("seed", [11])
def test_a_fortnight_of_trouble_is_paid_exactly_once(seed: int) -> None:
    result = simulate(seed=seed, days=16, people=40)
    assert result.line.endswith("paid_twice=0 owed_forgotten=0 unexplained=0"), (result.verdict, result.unexplained)
    assert result.contracts > 10  # so much happened at least
    assert result.happened["paid"] == result.verdict.payments > 40
    assert sum(result.faults.values()) > 20


def seen(memo: str, units: int, tx_id: str = "a") -> Seen:
    from datetime import UTC, datetime

    return Seen("1:0:0", tx_id, datetime(2026, 1, 1, tzinfo=UTC), "1.2.7", units, False, memo, 0)


def test_the_judge_sees_a_payment_made_twice_one_left_out_and_one_that_nobody_asked_for() -> None:
    memo = "Payment of reward 1 of 3 for stake contract 9:0:0. Thank you for your trust."
    wanted = Reckoning({("1.2.7", "reward 1", "9:0:0"): 5 * WHOLE, ("1.2.7", "principal", "9:0:0"): 9 * WHOLE})
    verdict = compare(
        [seen(memo, 5 * WHOLE), seen(memo, 5 * WHOLE, "b"), seen("hello", 1)], wanted, deposits=set(), by_hand=set()
    )
    assert [one.tx_id for one in verdict.twice] == ["b"]
    assert verdict.forgotten == [("1.2.7", "principal", "9:0:0")]
    assert [one.memo for one in verdict.strange] == ["hello"]
    wrong = compare([seen(memo, 4 * WHOLE)], wanted, deposits=set(), by_hand=set())
    assert wrong.strange and len(wrong.forgotten) == 2
