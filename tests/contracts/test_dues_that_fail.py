"""A bad node, a refused payment, money that is missing: each due is paid exactly once, or by the owner."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.contracts_world import World
from tests.custody_world import Refusing, assert_books_whole, at_once, begun, bts, left, sums, told
from valtrac.contracts import dues, overview
from valtrac.core.errors import Refused, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import bitshares
from valtrac.payments.store import attempts


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "drop", "fork", "fork_drop", "hold", "error", "hang"])
def test_whatever_the_node_does_to_a_payment_it_is_made_once(world: World, fault: str) -> None:
    begun(world)
    begun(world, "bob", 50_000)
    world.days(31)
    world.listen()
    if fault in ("lose_reply", "lose_request", "error"):
        bitshares.misbehave(world.path, **{fault: {"broadcast_transaction": 2}})
    elif fault == "hang":
        world.chain.rpc.timeout_s = 1
        bitshares.misbehave(world.path, hang={"broadcast_transaction": 1})
    else:
        bitshares.misbehave(world.path, hold_pool=True)
    with suppress(ValtracError):
        dues.pay(world.custodian, world.payer, patience_s=5, poll_s=0.0)
    if fault == "drop":
        bitshares.misbehave(world.path, drop_pool=True)
    if fault.startswith("fork"):
        bitshares.misbehave(world.path, hold_pool=False)
        world.blocks(1)
        bitshares.fork(world.path, 1, keep=fault == "fork")
    bitshares.clear(world.path)
    for _ in range(4):
        world.round()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    assert sums(world, "bob") == [bts(1), bts(4_000)]
    assert_books_whole(world)


def test_two_payers_at_once_pay_once(world: World) -> None:
    for who in ("ann", "bob", "cid"):
        begun(world, who)
    world.days(31)
    world.listen()
    at_once(world.pay, world.pay)
    world.round()
    for who in ("ann", "bob", "cid"):
        assert sums(world, who) == [bts(1), bts(2_000)]
    assert_books_whole(world)


def test_nothing_is_paid_while_the_listener_is_far_behind(world: World) -> None:
    begun(world)
    world.days(31)
    world.listen()
    world.blocks(210)
    with pytest.raises(Refused, match="blocks behind"):
        world.pay()
    assert sums(world, "ann") == [bts(1)]


def test_a_payment_that_the_node_refuses_becomes_delinquent_and_the_others_of_its_batch_are_paid(world: World) -> None:
    world.set(contracts_support="help@example.org")
    for who in ("ann", "bob", "cid"):
        begun(world, who)
    world.days(31)
    world.listen()
    refusing = Refusing(world, "bob")
    for _ in range(8):
        with suppress(ValtracError):
            dues.pay(world.custodian, refusing, patience_s=200, poll_s=0.0)
        world.listen()
        if world.dues("delinquent"):
            break
    (late,) = world.dues("delinquent")
    assert (late.name, late.type, late.words) == ("bob", "reward", "the chain refused it")
    assert (sums(world, "ann"), sums(world, "cid")) == ([bts(1), bts(2_000)], [bts(1), bts(2_000)])
    assert told(world, "delinquent")[0]["no"] == late.id
    for _ in range(2):
        world.round()
    note = left(world, "bob")[-1]
    assert (note.units, "help@example.org" in (note.memo or ""), f"no. {late.id}" in (note.memo or "")) == (
        bts(1),
        True,
        True,
    )
    assert [one.units for one in left(world, "bob")] == [bts(1), bts(1)]
    dues.pay_delinquent(world.custodian, world.payer, late.id, "2000 BTS")
    world.round()
    assert sums(world, "bob") == [bts(1), bts(1), bts(2_000)]
    assert_books_whole(world)


@pytest.mark.parametrize("place", [0, 3, 8])
def test_one_payment_of_many_that_is_refused_is_alone_in_its_transaction_wherever_it_stands(
    world: World, place: int
) -> None:
    who = ["ann", "cid", "dee"] * 3
    who[place] = "bob"
    for name in who:
        world.send(name, 1_000, "nonsense")
    world.listen()
    refusing = Refusing(world, "bob")
    with suppress(ValtracError):
        dues.pay(world.custodian, refusing, patience_s=200, poll_s=0.0)
    assert [one.name for one in world.dues("processing")] == ["bob"]
    assert len(world.dues("confirmed")) == 8
    with reading(world.engine) as conn:
        assert len(attempts.of_batch(conn, 1)) <= 10  # one for each payment, and the refused one once more


def test_patience_ends_and_a_late_payment_is_handed_to_the_owner(world: World) -> None:
    begun(world)
    bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(300), "rent")
    world.days(30.2)
    assert world.round().outlook.missing > 0
    assert world.dues("delinquent") == []
    world.days(0.6)
    world.round()
    (late,) = world.dues("delinquent")
    assert (late.type, late.words) == ("reward", "there was no money for it")
    world.round()
    assert sums(world, "ann") == [bts(1), bts(1)]
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.past_due) == (bts(31_000), bts(2_000))


def test_a_payer_that_was_away_for_days_looks_for_money_before_it_gives_up(world: World) -> None:
    begun(world)
    bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(300), "rent")
    world.days(35)
    assert world.round().outlook.missing > 0
    assert world.dues("delinquent") == []
    world.send("manager", 50_000, "loan")
    world.round()
    assert world.dues("delinquent") == []
    assert sums(world, "ann") == [bts(1), bts(2_000)]


def test_a_payment_above_the_cap_of_a_day_says_so(world: World) -> None:
    begun(world)
    world.set(contracts_cap_day="1500")
    world.days(30.2)
    ((late, why),) = world.round().outlook.held
    assert (late.type, why) == ("reward", "above the cap of 1500.00000 BTS per day")


def test_without_patience_a_payment_waits_for_ever(world: World) -> None:
    world.set(contracts_patience_hours="0")
    begun(world)
    bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(300), "rent")
    world.days(300)
    world.round()
    assert world.dues("delinquent") == []
