"""A few days of a pool in trouble: every satoshi accounted for, every delegate paid what the chain alone says."""

from __future__ import annotations

import pytest

from tests.simulation_qtum.month import simulate


@pytest.mark.parametrize("seed", [21])
def test_days_of_trouble_are_shared_and_paid_to_the_satoshi(seed: int) -> None:
    result = simulate(seed=seed, days=3, people=40, apart=False)
    assert result.good, (result.line, result.unexplained[:5])
    assert result.line.endswith("paid_twice=0 unexplained_sat=0")
    assert result.paydays == 3
    assert result.paid > 0
    assert sum(result.troubles.values()) > 20
