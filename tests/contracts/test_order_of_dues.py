"""Caps, reserve and order: what is paid first, what waits, and what is left."""

from __future__ import annotations

import pytest

from tests.contracts_world import World
from tests.custody_world import begun, bts, sums
from valtrac.devnet import bitshares


def test_what_is_above_the_cap_waits_and_the_rest_is_paid(world: World) -> None:
    begun(world)
    begun(world, "bob", 50_000)
    world.set(contracts_cap_payment="2000")
    world.days(30.2)
    done = world.round()
    assert [(one.name, why) for one, why in done.outlook.held] == [
        ("bob", "above the cap of 2000.00000 BTS per payment")
    ]
    assert (sums(world, "ann")[-1], sums(world, "bob")) == (bts(2_000), [bts(1)])
    world.set(contracts_cap_payment="4000")
    world.round()
    assert sums(world, "bob") == [bts(1), bts(4_000)]


def test_the_cap_per_day_holds_and_the_next_day_goes_on(world: World) -> None:
    for who in ("ann", "bob", "cid"):
        begun(world, who)
    world.days(31)
    world.set(contracts_cap_day="4500")
    assert world.round().paid == 2
    assert world.round().paid == 0
    world.days(1.1)
    assert world.round().paid == 1
    assert [sums(world, who)[-1] for who in ("ann", "bob", "cid")] == [bts(2_000)] * 3


@pytest.mark.parametrize(("spare", "paid"), [(940, False), (960, True)])
def test_the_reserve_is_never_spent(world: World, spare: int, paid: bool) -> None:
    world.set(contracts_reserve="700")
    world.take("ann", 1_000, "nonsense")
    bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(700 + spare), "rent")
    world.blocks(3)
    done = world.round()
    assert sums(world, "ann") == ([bts(950)] if paid else [])
    assert (done.outlook.missing > 0) != paid
    assert world.held("custodian") > bts(700)


def test_small_payments_go_on_while_a_large_one_waits_for_money(world: World) -> None:
    begun(world)
    begun(world, "bob", 100_000)
    bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(5_000), "rent")
    world.take("bob", 1, "stop")
    world.take("cid", 1_000, "nonsense")
    done = world.round()
    assert done.outlook.missing > bts(79_000)
    assert (sums(world, "bob"), sums(world, "cid")) == ([bts(1)], [bts(950)])
    world.days(31)
    world.listen()
    world.take("manager", 90_000, "loan_to_bmg")
    world.round()
    assert (sums(world, "bob"), sums(world, "ann")) == ([bts(1), bts(85_000)], [bts(1), bts(2_000)])


@pytest.mark.parametrize("over", range(6))
def test_a_payment_either_lacks_money_or_is_made(world: World, over: int) -> None:
    """Whatever the account holds, around the sum that is needed: never neither of the two."""
    begun(world)
    world.take("ann", 1, "stop")
    spare = world.held("custodian") - bts(21_250 + 100)
    bitshares.transfer(world.path, "custodian", "dee", spare - bts(over * 0.5) - bts(1), "rent")
    world.blocks(3)
    done = world.round()
    assert (done.outlook.missing > 0) != (bts(21_250) in sums(world, "ann"))
