"""A few days of a pool in trouble: every satoshi accounted for, every delegate paid what the chain alone says."""

from __future__ import annotations

import pytest

from tests.qtum_within import within
from tests.simulation_qtum.month import simulate
from valtrac.payments import rivals


@pytest.mark.parametrize("seed", [21])
def test_days_of_trouble_are_shared_and_paid_to_the_satoshi(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "REWRITTEN", 80)
    with within():
        result = simulate(seed=seed, days=2, people=30, apart=False)
    assert result.good, (result.line, result.unexplained[:5])
    assert result.line.endswith("paid_twice=0 unexplained_sat=0")
    assert result.paydays == 2
    assert result.paid > 0
    assert sum(result.troubles.values()) > 12
