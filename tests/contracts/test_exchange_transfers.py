"""Money between account and exchange: asked for once, looked up before anything is repeated, known by its memo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.contracts_world import World
from tests.custody_world import bts, left, sums, told, with_exchanges
from tests.exchanges.poloniex import Poloniex
from valtrac.contracts import exchange_transfers
from valtrac.contracts.arrivals import give_reference
from valtrac.contracts.store import withdrawals
from valtrac.database.engine import reading
from valtrac.devnet import bitshares


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[World, Poloniex]]:
    with with_exchanges(tmp_path, 3_000, 600, 9_000) as made:
        yield made


def found(world: World) -> list[tuple[str, str, int]]:
    """(exchange, state, whole BTS) of every withdrawal."""
    with reading(world.engine) as conn:
        return [(one.exchange, one.state, one.units // bts(1)) for one in withdrawals.listed(conn)]


def later(world: World, minutes: float) -> None:
    """The clock of this machine, as if so much time had passed."""
    now = world.custodian.now
    world.custodian = replace(world.custodian, now=lambda: now() + timedelta(minutes=minutes))


def asked(stub: Poloniex) -> list[tuple[str, Decimal | int]]:
    return [(one.key, one.amount) for one in stub.asked]


# -- once for everything, whoever asks -----------------------------------------------------------------------------


def test_what_arrives_between_reckoning_and_asking_is_not_asked_for_again(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    exchange_transfers.step(world.custodian, bts(1_000))
    with reading(world.engine) as conn:
        reckoned_with = withdrawals.in_states(conn, *withdrawals.OPEN)  # 1,000 are missing, and on their way
    world.listen()  # they arrive
    assert found(world) == [("one", "arrived", 1_005)]
    exchange_transfers.step(world.custodian, bts(1_000), asked=reckoned_with)
    assert len(stub.asked) == 1


def test_two_payers_that_lack_the_same_money_ask_for_it_once(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    with reading(world.engine) as conn:
        reckoned_with = withdrawals.in_states(conn, *withdrawals.OPEN)
    exchange_transfers.step(world.custodian, bts(1_000), asked=reckoned_with)
    exchange_transfers.step(
        world.custodian, bts(1_000), asked=reckoned_with
    )  # the other one, which reckoned before the first had asked
    assert asked(stub) == [("key-one", 1_005)]


# -- which accounts, how much ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "wanted"),
    [
        (1_000, [("key-one", 1_005)]),
        (999.5, [("key-one", 1_005)]),
        (2_985, [("key-one", 2_990)]),
        (3_000, [("key-one", 2_990), ("key-two", 20)]),
        (4_000, [("key-one", 2_990), ("key-two", 590), ("key-three", 435)]),
        (50_000, [("key-one", 2_990), ("key-two", 590), ("key-three", 8_990)]),
        (0, []),
    ],
)
def test_accounts_are_drawn_upon_in_order_for_what_is_missing_and_the_fee(
    both: tuple[World, Poloniex], missing: float, wanted: list[tuple[str, int]]
) -> None:
    world, stub = both
    exchange_transfers.step(world.custodian, bts(missing))
    assert asked(stub) == wanted
    assert all(one.address == "custodian" for one in stub.asked)
    assert len({one.memo for one in stub.asked}) == len(wanted)


def test_what_is_on_its_way_is_counted_and_not_asked_for_again(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    stub.late = True
    exchange_transfers.step(world.custodian, bts(1_000))
    assert exchange_transfers.on_the_way(world.custodian) == bts(1_000)
    for _ in range(5):
        exchange_transfers.step(world.custodian, bts(1_000))
    assert asked(stub) == [("key-one", 1_005)]
    stub.late = False
    stub.let_go()
    world.listen()
    assert (found(world), exchange_transfers.on_the_way(world.custodian)) == ([("one", "arrived", 1_005)], 0)


def test_one_account_that_is_down_does_not_keep_the_next_from_being_asked(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    stub.accounts["key-one"].secret = "changed"
    said = exchange_transfers.step(world.custodian, bts(500))
    assert asked(stub) == [("key-two", 505)]
    assert any("does not accept its keys" in words for words in said)


# -- answers and requests that are lost --------------------------------------------------------------------------


def test_a_lost_answer_is_looked_up_and_the_withdrawal_is_not_repeated(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    stub.late, stub.lose_replies = True, 1
    exchange_transfers.step(world.custodian, bts(1_000))
    assert found(world)[0] == ("one", "planned", 1_005)
    already = len(stub.asked)
    for _ in range(3):
        exchange_transfers.step(world.custodian, 0)
    assert (found(world)[0], len(stub.asked)) == (("one", "asked", 1_005), already)
    later(world, 600)
    exchange_transfers.step(world.custodian, 0)
    assert found(world)[0][1] == "asked"
    stub.let_go()
    world.listen()
    assert found(world)[0][1] == "arrived"
    assert [one.key for one in stub.asked].count("key-one") == 1


def test_a_lost_request_is_repeated_only_after_it_was_not_listed_for_long_enough(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 3_000) as (world, stub):
        stub.lose_requests = 1
        exchange_transfers.step(world.custodian, bts(1_000))
        for minutes in (1, 10, 18):
            later(world, minutes)
            exchange_transfers.step(world.custodian, bts(1_000))
            assert (asked(stub), found(world)) == ([], [("one", "planned", 1_005)])
        later(world, 2)
        said = exchange_transfers.step(world.custodian, bts(1_000))
        assert any("never accepted" in words for words in said)
        assert found(world) == [("one", "failed", 1_005), ("one", "asked", 1_005)]
        assert asked(stub) == [("key-one", 1_005)]
        assert len(told(world, "exchange_failed")) == 1


def test_while_the_exchange_does_not_list_anything_nothing_is_given_up(tmp_path: Path) -> None:
    """An exchange that is down says nothing, which is not a no."""
    with with_exchanges(tmp_path, 3_000) as (world, stub):
        stub.lose_replies = 1
        exchange_transfers.step(world.custodian, bts(1_000))
        stub.down = True
        later(world, 600)
        for _ in range(3):
            exchange_transfers.step(world.custodian, bts(1_000))
        assert (found(world), len(stub.asked)) == ([("one", "planned", 1_005)], 1)


def test_a_refused_request_is_noted_and_may_be_asked_again(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 3_000) as (world, stub):
        stub.refuse = 1
        exchange_transfers.step(world.custodian, bts(1_000))
        assert found(world) == [("one", "failed", 1_005)]
        exchange_transfers.step(world.custodian, bts(1_000))
        assert found(world) == [("one", "failed", 1_005), ("one", "asked", 1_005)]


def test_a_withdrawal_that_the_exchange_fails_later_is_told_and_may_be_asked_again(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 3_000) as (world, stub):
        stub.late = True
        exchange_transfers.step(world.custodian, bts(1_000))
        stub.asked[0].failed = True
        said = exchange_transfers.step(world.custodian, bts(1_000))
        assert any("was refused" in words for words in said)
        assert [state for _, state, _ in found(world)] == ["failed", "asked"]
        assert "refused a withdrawal" in told(world, "alert")[0]["warn"]


# -- arriving --------------------------------------------------------------------------------------------------------


def test_what_arrives_after_it_was_given_up_is_still_known(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 3_000) as (world, stub):
        stub.late, stub.lose_replies = True, 1
        exchange_transfers.step(world.custodian, bts(1_000))
        (hidden,) = stub.asked
        stub.asked.clear()  # the exchange forgets to list it
        later(world, 31)
        exchange_transfers.step(world.custodian, 0)
        assert found(world) == [("one", "failed", 1_005)]
        bitshares.transfer(world.path, "exchange", "custodian", bts(1_000), hidden.memo)
        world.blocks(1)
        world.listen()
        assert found(world) == [("one", "arrived", 1_005)]
        assert [one.kind for one in world.operations()] == ["arrived"]


def test_a_reference_that_nobody_gave_out_is_no_loan(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    stub.late = True
    exchange_transfers.step(world.custodian, bts(1_000))
    assert world.take("ann", 2_000, "loan#0123456789abcdef").kind == "invalid"
    assert world.take("ann", 2_000, "loan").kind == "invalid"
    assert world.take("ann", 1_000, "loan").state == "parked"  # it may be what the exchange sends
    assert found(world) == [("one", "asked", 1_005)]
    assert [due.units for due in world.dues()] == [bts(1_950), bts(1_950)]


def test_a_loan_counts_with_a_reference_that_the_owner_gave_to_its_sender(both: tuple[World, Poloniex]) -> None:
    world, _ = both
    memo = give_reference(world.engine, "ann", "until the end of the month")
    assert world.take("ann", 2_000, memo).kind == "loan"
    assert world.take("ann", 2_000, '{"type":"' + memo + '"}').kind == "loan"
    assert world.take("bob", 2_000, memo).kind == "invalid"
    world.round()
    assert sums(world, "bob") == [bts(1_950)]
    assert sums(world, "ann") == []


def test_a_bare_loan_from_an_exchanges_wallet_waits_for_the_owner(both: tuple[World, Poloniex]) -> None:
    world, _ = both
    world.set(contracts_never_refund="exchange")
    assert world.take("exchange", 2_000, "loan_to_bmg").state == "parked"
    assert world.dues() == []


def test_an_arrival_is_booked_once_however_often_its_memo_comes(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    exchange_transfers.step(world.custodian, bts(1_000))
    world.listen()
    memo = stub.asked[0].memo
    assert world.take("ann", 7, memo).kind == "loan"
    assert found(world) == [("one", "arrived", 1_005)]
    assert len(told(world, "exchange_arrived")) == 1
    assert (world.dues(), left(world)) == ([], [])


# -- managers' moves ---------------------------------------------------------------------------------------------------


def order(kind: str, amount: int = 500, account: int = 1) -> str:
    return json.dumps({"type": kind, "amount": amount, "account": account})


@pytest.mark.parametrize("kind", ["custodian_to_exchange", "exchange_to_custodian"])
@pytest.mark.parametrize("trouble", ["no lifetime member", "too old", "no such account", "too little", "no amount"])
def test_a_move_that_may_not_be_is_not_carried_out(both: tuple[World, Poloniex], kind: str, trouble: str) -> None:
    world, stub = both
    memo = {"no such account": order(kind, account=4), "too little": order(kind, 400), "no amount": kind}.get(
        trouble, order(kind)
    )
    world.send("clerk" if trouble == "no lifetime member" else "manager", 1, memo)
    if trouble == "too old":
        world.blocks(101)
    for _ in range(3):
        world.round()
    (one,) = [one for one in world.operations() if one.direction == "in"]
    assert one.kind in ("ignored", "kept")
    assert (stub.asked, left(world), found(world)) == ([], [], [])


def test_a_deposit_to_an_exchange_is_paid_once_at_its_address_with_its_memo(both: tuple[World, Poloniex]) -> None:
    world, _ = both
    assert world.take("manager", 1, order("custodian_to_exchange", 600, 3)).kind == "to_exchange"
    for _ in range(4):
        world.round()
    (sent,) = left(world)
    assert (sent.to, sent.units, sent.memo) == ("exchange", bts(600), "deposit-three")


def test_a_deposit_waits_while_the_exchange_does_not_tell_its_address(both: tuple[World, Poloniex]) -> None:
    world, stub = both
    stub.down = True
    world.take("manager", 1, order("custodian_to_exchange"))
    world.round()
    assert left(world) == []
    stub.down = False
    world.round()
    world.round()
    assert [(one.to, one.units) for one in left(world)] == [("exchange", bts(500))]


@pytest.mark.parametrize("fault", ["lose_replies", "lose_requests"])
def test_what_a_manager_calls_back_is_asked_for_once_whatever_is_lost(tmp_path: Path, fault: str) -> None:
    with with_exchanges(tmp_path, 3_000) as (world, stub):
        setattr(stub, fault, 1)
        world.take("manager", 1, order("exchange_to_custodian", 700))
        for _ in range(4):
            world.round()
        later(world, 31)
        world.round()
        world.round()
        assert asked(stub) == ([("key-one", 705)] if fault == "lose_replies" else [])
        assert found(world) == [("one", "arrived" if fault == "lose_replies" else "failed", 700)]


def test_what_a_manager_calls_back_arrives_as_he_asked_for_it(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 3_000) as (world, _):
        before = world.held("custodian")
        world.take("manager", 1, order("exchange_to_custodian", 700))
        for _round in range(3):
            world.round()
            world.listen()
        assert found(world) == [("one", "arrived", 700)]
        assert world.held("custodian") == before + bts(701)  # the exchange's fee of 5 came on top


def test_a_managers_deposit_goes_to_the_account_that_he_named_whatever_the_settings_become(
    both: tuple[World, Poloniex],
) -> None:
    world, _ = both
    world.take("manager", 1, json.dumps({"type": "custodian_to_exchange", "amount": 500, "api": 2}))
    world.set(contracts_exchange_accounts="three,one")
    (said,) = exchange_transfers.step(world.custodian, 0)
    assert "two" in said
    world.set(contracts_exchange_accounts="two,one,three")
    exchange_transfers.step(world.custodian, 0)
    (due,) = world.dues("pending", type_="exchange")
    assert due.memo == "deposit-two"
