"""The defects D1 to D6 of StakeBTS 2.4, which pay twice, too much or the wrong one: each played, and done right."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from tests.contracts_world import World
from tests.custody_world import (
    FIRST,
    assert_books_whole,
    at_once,
    begun,
    bts,
    delinquent,
    left,
    send_for_another_key,
    sums,
    with_exchanges,
)
from valtrac.contracts import dues, listener, overview
from valtrac.contracts import rulings as owner
from valtrac.core.errors import BadInput, ValtracError
from valtrac.devnet import bitshares


@pytest.mark.parametrize("together", [False, True], ids=["two transfers", "two in one transaction"])
def test_d01_two_stops_before_the_payer_ran_pay_once(world: World, together: bool) -> None:
    """D1: two stops before the first payment's rows were marked paid a contract of 25000 twice (42500)."""
    begun(world)
    if together:
        rows = [("ann", "custodian", bts(1), "stop")] * 2
        bitshares.Client(world.path).transfers(rows)
        world.blocks(1)
    else:
        world.send("ann", 1, "stop")
        world.send("ann", 1, "stop")
    world.listen()
    world.round()
    world.round()
    assert sums(world, "ann") == [bts(1), bts(21_250)]
    assert [one.kind for one in world.operations() if one.memo == "stop"] == ["stop", "stop"]
    assert_books_whole(world)


def test_d01_a_stop_while_the_payment_of_the_first_waits_for_cover_pays_once(tmp_path: Path) -> None:
    """D1: with a wait for cover the window in which a second stop paid again was 12 hours."""
    world = World(tmp_path, custodian=500)
    try:
        world.take("ann", 25_000, "three_months")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", bts(24_000), "rent")  # the account is nearly empty
        world.take("ann", 1, "stop")
        assert world.round().outlook.missing > 0
        world.days(0.4)
        world.take("ann", 1, "stop")
        world.round()
        assert sums(world, "ann") == [bts(1)]
        world.take("manager", 30_000, "loan_to_bmg")
        world.round()
        assert sums(world, "ann") == [bts(1), bts(21_250)]
    finally:
        world.close()


def test_d02_a_replay_from_an_old_block_sends_nothing_again(world: World) -> None:
    """D2: a replay sent 24949 back once more, and an old stop ended a newer contract and paid it."""
    world.take("bob", 24_999, "three_months")
    begun(world)
    world.take("ann", 1, "stop")
    begun(world)
    world.round()
    before, rows, done = left(world), world.dues(), world.operations()
    listener.start_from(world.custodian, FIRST + 1)
    assert world.listen().transfers == 0
    world.round()
    assert (left(world), world.dues(), world.operations()) == (before, rows, done)
    assert [one.state for one in overview.listed(world.engine)] == ["ended", "open"]
    assert sums(world, "bob") == [bts(24_949)]


def test_d02_a_stop_that_is_read_late_does_not_end_a_newer_contract(world: World) -> None:
    """D2: a stop touches only contracts that stand before it in the chain, whenever it is carried out."""
    begun(world)
    send_for_another_key(world, "ann", 2, "stop")
    for _ in range(4):
        world.listen()
    assert [one.name for one in world.operations("parked")] == ["ann"]
    world.take("ann", 50_000, "six_months")
    owner.read_by_hand(world.custodian, world.operations("parked")[0].id, owner.Word(memo="stop"))
    world.round()
    standing = overview.listed(world.engine)
    assert [(one.contract.amount, one.state) for one in standing] == [(bts(25_000), "ended"), (bts(50_000), "open")]
    assert sorted(sums(world, "ann")) == [bts(1), bts(1), bts(21_250)]


@pytest.mark.parametrize("who", ["manager", "clerk"])
@pytest.mark.parametrize("memo", ["loan_to_bmg", '{"type":"loan_to_bmg"}', "loan"])
def test_d03_loans_of_managers_are_kept(world: World, who: str, memo: str) -> None:
    """D3: an identity test refunded loans less 50 to their sender, which may be the exchange's wallet."""
    assert world.take(who, 1_000, memo).kind == "loan"
    world.round()
    assert (world.dues(), left(world)) == ([], [])


def test_d04_what_a_manager_calls_back_from_the_exchange_goes_to_the_custodian(tmp_path: Path) -> None:
    """D4: bittrex_to_bmg sent the company's funds to the manager."""
    with with_exchanges(tmp_path, 10_000) as (world, stub):
        manager = world.held("manager")
        memo = json.dumps({"type": "bittrex_to_bmg", "amount": 5_000, "api": 1})
        assert world.take("manager", 1, memo).kind == "from_exchange"
        spent = manager - world.held("manager")
        before = world.held("custodian")
        world.round()
        world.listen()
        (asked,) = stub.asked
        assert (asked.address, asked.amount) == ("custodian", Decimal(5_005))
        assert world.held("custodian") - before == bts(5_000)
        assert manager - world.held("manager") == spent
        assert [one.kind for one in world.operations() if one.name == "exchange"] == ["arrived"]


@pytest.mark.parametrize("fault", ["error", "lose_reply", "lose_request", "garbage", "down"])
def test_d05_a_transfer_that_fails_leaves_the_row_owed_and_the_listener_alive(world: World, fault: str) -> None:
    """D5: a row was marked paid before its transfer failed, and the error killed the payment's or listener's thread."""
    world.take("ann", 25_000, "three_months")
    method = "broadcast_transaction"
    bitshares.misbehave(world.path, **{fault: {method: 2}})
    world.listen()
    with suppress(ValtracError):
        world.pay()
    assert world.take("bob", 1_000, "nonsense").kind == "invalid"
    for _ in range(4):
        world.round()
    assert sums(world, "ann") == [bts(1)]
    assert sums(world, "bob") == [bts(950)]
    assert [one.state for one in world.dues(type_="agreement")] == ["confirmed"]
    assert_books_whole(world)


def test_d05_a_row_whose_transfer_was_refused_is_owed_and_not_paid(world: World) -> None:
    """D5: paid is what a block holds; until then it is owed."""
    world.take("ann", 25_000, "three_months")
    bitshares.misbehave(world.path, error={"broadcast_transaction": True})
    world.listen()
    world.pay()
    (notice,) = world.dues(type_="agreement")
    assert (notice.state, notice.block, notice.tx_id) == ("processing", None, "")
    assert notice.is_open
    assert left(world) == []


def test_d06_a_delinquent_payment_is_paid_by_hand_once_only(world: World) -> None:
    """D6: paying by hand did not update the rows, so that the next run paid them again."""
    number = delinquent(world)
    dues.pay_delinquent(world.custodian, world.payer, number, "2000")
    with pytest.raises(BadInput, match="not delinquent"):
        dues.pay_delinquent(world.custodian, world.payer, number, "2000")
    world.round()
    assert sums(world, "ann").count(bts(2_000)) == 1
    assert_books_whole(world)


def test_d06_asked_twice_at_once_and_with_the_payer_at_work_it_is_paid_once(world: World) -> None:
    """D6: paying by hand took rows that a running bot was about to pay."""
    number = delinquent(world)
    by_hand = lambda: dues.pay_delinquent(world.custodian, world.payer, number, "2000", patience_s=900)  # noqa: E731
    at_once(by_hand, by_hand, world.pay)
    for _ in range(3):
        world.round()
    assert sums(world, "ann").count(bts(2_000)) == 1
    assert [one.state for one in world.dues() if one.id == number] == ["confirmed"]
    assert_books_whole(world)


def test_d06_what_is_being_paid_cannot_be_paid_by_hand(world: World) -> None:
    """D6: 'processing' there meant both a row that failed and one that is being paid."""
    begun(world)
    world.days(31)
    world.listen()
    bitshares.misbehave(world.path, hold_pool=True)
    with pytest.raises(Exception, match="not seen again"):
        dues.pay(world.custodian, world.payer, patience_s=3, poll_s=0)
    (one,) = [one for one in world.dues("processing", "paid") if one.type == "reward"]
    with pytest.raises(BadInput, match="not delinquent"):
        dues.pay_delinquent(world.custodian, world.payer, one.id, "2000")


def test_d06_what_was_above_the_cap_is_paid_by_hand_without_raising_the_cap_and_blocks_nobody(world: World) -> None:
    """D6: the owner's word is the word for one payment above the cap."""
    begun(world)
    world.set(contracts_cap_payment="1500")
    world.days(31)
    world.round()
    (one,) = world.dues("delinquent")
    dues.pay_delinquent(world.custodian, world.payer, one.id, "2000")
    assert sums(world, "ann").count(bts(2_000)) == 1
    world.take("bob", 1_000, "nonsense")
    world.round()
    assert sums(world, "bob") == [bts(950)]
