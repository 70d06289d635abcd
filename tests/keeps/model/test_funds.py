"""What ether bears at once, and the approvals of a round."""

from __future__ import annotations

import pytest

from valtrac.keeps.model.funds import Allowance, Gas, Route, approvals, most_in_flight

ETH = 10**18
GAS = Gas(cap=100 * 10**9)
MACHINE = "0x526c08e5532a9308b3fb33b7968ef78a5005d2ac"
ONE, FIVE, HALF = 1_000_500_000_000_000_000, 5_002_500_000_000_000_000, 500_250_000_000_000_000


@pytest.mark.parametrize(("milli", "count"), [(250, 3), (86, 1), (85, 0), (1_606, 20), (0, 0)])
def test_so_many_redemptions_at_once_does_ether_bear(milli: int, count: int) -> None:
    ether = milli * ETH // 1000
    assert most_in_flight(ether, GAS) == count
    reserved = sum(GAS.of(Route.MACHINE, first=place == 0, calls=False) for place in range(count))
    assert reserved <= ether


def test_what_one_redemption_reserves() -> None:
    assert GAS.of(Route.MACHINE, first=False, calls=False) == 80 * ETH // 1000
    assert GAS.of(Route.MACHINE, first=True, calls=False) == 86 * ETH // 1000
    assert GAS.of(Route.DIRECT, first=False, calls=False) == 86 * ETH // 1000
    assert GAS.of(Route.DIRECT, first=False, calls=True) == 106 * ETH // 1000


def test_one_approval_is_the_sum_for_all_that_go_through_the_machine() -> None:
    active = [("0x1", Route.MACHINE, ONE), ("0x5", Route.MACHINE, FIVE), ("0xh", Route.MACHINE, HALF)]
    assert approvals(active, MACHINE) == [Allowance(MACHINE, 6_503_250_000_000_000_000)]
    called = [active[0], ("0x5", Route.MACHINE, 5 * ETH), active[2]]
    assert approvals(called, MACHINE) == [Allowance(MACHINE, 6_500_750_000_000_000_000)]


def test_a_deposit_that_is_asked_itself_has_an_approval_of_its_own() -> None:
    mixed = [("0x5", Route.DIRECT, 5 * ETH), ("0x1", Route.MACHINE, ONE), ("0x2", Route.DIRECT, 2 * ETH)]
    assert approvals(mixed, MACHINE) == [Allowance(MACHINE, ONE), Allowance("0x5", 5 * ETH), Allowance("0x2", 2 * ETH)]
    assert approvals([("0x5", Route.DIRECT, 0)], MACHINE) == []
