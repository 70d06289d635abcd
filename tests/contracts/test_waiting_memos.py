"""Memos that cannot be read yet, or never: they wait in order, and nobody is charged for that."""

from __future__ import annotations

import pytest

from tests.contracts_world import World
from tests.custody_world import at_once, begun, bts, left, send_for_another_key, sums, told
from valtrac.chains.bitshares import connect
from valtrac.contracts import overview
from valtrac.contracts import rulings as owner
from valtrac.core.errors import BadInput


def test_while_it_is_locked_memos_wait_and_nothing_is_charged_or_paid_to_their_senders(world: World) -> None:
    begun(world)
    world.days(31)
    world.lock()
    for _ in range(10):
        operation = world.take("ann", 1, "stop")
        assert (operation.state, operation.memo, operation.tries) == ("waiting", None, 0)
    world.unlock()
    keys, world.chain.keys = world.chain.keys, None
    assert keys is not None
    payer = connect.payer(world.chain, "custodian", keys)
    from valtrac.contracts import dues

    done = dues.pay(world.custodian, payer, patience_s=200, poll_s=0.0)
    assert (done.paid, [why for _, why in done.outlook.held]) == (
        0,
        [f"the memo of its transfer {operation.key} is not read yet"],
    )
    assert sums(world, "ann") == [bts(1)]


def test_locked_memos_are_handled_in_order_after_unlocking_with_the_time_of_their_block(world: World) -> None:
    world.lock()
    first = world.take("ann", 25_000, "three_months")
    world.days(2)
    second = world.take("ann", 1, "stop")
    third = world.take("ann", 50_000, "six_months")
    world.days(1)
    assert {one.state for one in (first, second, third)} == {"waiting"}
    world.unlock()
    world.listen()
    standing = overview.listed(world.engine)
    assert [(one.contract.start_at, one.state) for one in standing] == [(first.at, "ended"), (third.at, "open")]
    world.round()
    assert sorted(sums(world, "ann")) == [bts(1), bts(1), bts(21_250)]


def test_a_stop_that_comes_after_unlocking_is_not_read_before_a_contract_that_waited(world: World) -> None:
    world.lock()
    world.take("ann", 25_000, "three_months")
    world.unlock()
    world.send("ann", 1, "stop")
    world.listen()
    assert [one.state for one in overview.listed(world.engine)] == ["ended"]
    assert [one.kind for one in world.operations()] == ["contract", "stop"]
    world.round()
    assert bts(21_250) in sums(world, "ann")


def test_a_stop_waits_while_an_older_memo_of_the_same_account_does(world: World) -> None:
    """Whoever cannot read the first word of a client does not act on the second."""
    send_for_another_key(world, "ann", 25_000, "three_months")
    world.send("ann", 1, "stop")
    world.send("bob", 25_000, "three_months")
    world.listen()
    assert [(one.name, one.state) for one in world.operations()] == [
        ("ann", "waiting"),
        ("ann", "waiting"),
        ("bob", "handled"),
    ]
    for _ in range(4):
        world.listen()
    assert [one.state for one in world.operations()] == ["parked", "handled", "handled"]


def test_a_memo_for_another_key_is_parked_after_some_tries_and_never_charged(world: World) -> None:
    send_for_another_key(world, "ann", 25_000, "three_months")
    seen = [world.listen() and world.operations()[0].state for _ in range(4)]
    assert seen[0] == "waiting"
    assert seen[-1] == "parked"
    world.round()
    assert (world.dues(), left(world)) == ([], [])
    assert "no key of ours opens" in told(world, "alert")[0]["warn"]
    (parked,) = world.operations("parked")
    assert owner.read_by_hand(world.custodian, parked.id, owner.Word(memo="three_months")) == "contract"
    assert world.contracts()[0].start_at == parked.at
    with pytest.raises(BadInput, match="handled"):
        owner.read_by_hand(world.custodian, parked.id, owner.Word(memo="three_months"))
    assert len(world.contracts()) == 1


@pytest.mark.parametrize("twice", [False, True])
def test_a_parked_transfer_goes_back_whole_and_once(world: World, twice: bool) -> None:
    send_for_another_key(world, "ann", 25_000, "three_months")
    for _ in range(4):
        world.listen()
    (parked,) = world.operations("parked")
    acts = [lambda: owner.read_by_hand(world.custodian, parked.id, owner.Word(refund=True))] * (2 if twice else 1)
    at_once(*acts)
    world.round()
    world.round()
    assert sums(world, "ann") == [bts(25_000)]
