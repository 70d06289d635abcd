"""Managers and exchanges at their oddest: late, forgetful, wrong, or both of one mind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.contracts_world import World
from tests.custody_world import (
    Lost,
    bts,
    sums,
    told,
    with_exchanges,
)
from tests.exchanges.poloniex import Poloniex
from valtrac.contracts import dues, exchange_transfers, listener
from valtrac.contracts import rulings as owner
from valtrac.contracts.store import withdrawals
from valtrac.core.errors import BadInput, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import bitshares
from valtrac.exchanges import account as exchange


def drained(world: World, keep: int = 500) -> None:
    """Everything but that leaves the account, by the owner's own hand."""
    bitshares.transfer(world.path, "custodian", "dee", bts(world.held("custodian") // 100_000 - keep), "by hand")
    world.listen()
    for one in world.operations("unruled"):
        owner.rule(world.custodian, one.id, words="to another wallet of mine")


def asked(world: World) -> list[withdrawals.Withdrawal]:
    with reading(world.engine) as conn:
        return withdrawals.listed(conn)


def one_asked(world: World, stub: Poloniex) -> None:
    """Ann's first reward is due, the account is nearly empty, and the exchange takes its time with the cover."""
    world.take("ann", 25_000, "three_months")
    world.pay()
    drained(world)
    stub.late = True
    world.days(31)
    world.round()


def two_asked(world: World, stub: Poloniex) -> None:
    """A manager asked each of two accounts for 1000 BTS, and the exchange takes its time."""
    stub.late = True
    for number in (1, 2):
        world.take("manager", 1, f'{{"type":"exchange_to_custodian","amount":1000,"api":{number}}}')
    world.round()


def test_what_a_manager_wanted_sent_is_not_sent_days_later(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 1_000) as (world, _):
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":900000,"api":1}')
        world.round()
        assert any("wait for money" in words for words in world.round().words)
        world.days(2)
        assert any("too old" in words for words in world.round().words)
        for _ in range(10):
            world.take("bob", 100_000, "twelve_months")
        world.round()
        world.round()
        assert sums(world, "exchange") == []
        assert any("too old" in alert.get("warn", "") for alert in told(world, "alert"))


def test_what_a_manager_asked_for_while_exchanges_were_locked_is_forgotten_after_half_a_day(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000) as (world, stub):
        unlocked = world.custodian
        world.custodian = replace(unlocked, exchanges=())
        world.take("manager", 1, '{"type":"exchange_to_custodian","amount":1000,"api":1}')
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":1000,"api":1}')
        world.days(1)
        world.custodian = replace(world.custodian, exchanges=unlocked.exchanges)
        world.round()
        world.round()
        assert stub.asked == []
        assert [move.state for move in asked(world)] == ["failed"]
        assert sums(world, "exchange") == []


def test_what_a_manager_wanted_sent_days_ago_is_not_sent_also_where_there_is_money(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 1_000) as (world, _):
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":1000,"api":1}')
        exchange_transfers.step(world.custodian, 0)
        world.days(5)
        world.round()
        assert sums(world, "exchange") == []


def test_what_a_manager_wanted_sent_and_no_node_took_is_left_after_half_a_day(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 1_000) as (world, _):
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":1000,"api":1}')
        exchange_transfers.step(world.custodian, 0)
        with pytest.raises(ValtracError):
            dues.pay(world.custodian, Lost(world.payer), patience_s=1, poll_s=0)
        world.days(20)
        world.round()
        assert sums(world, "exchange") == []
        assert world.dues("delinquent") == []
        assert [one.state for one in world.dues() if one.type == "exchange"] == ["aborted"]


def test_two_withdrawals_in_one_transaction_are_each_known(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000, 5_000) as (world, stub):
        two_asked(world, stub)
        client = bitshares.Client(world.path)
        both = client.transfers([("exchange", "custodian", bts(995), None), ("exchange", "custodian", bts(995), None)])
        for one in stub.asked:
            one.done, one.tx_id = True, both
        for _ in range(3):
            world.round()
        assert [move.state for move in asked(world)] == ["arrived", "arrived"]
        assert len({move.arrived_id for move in asked(world)}) == 2


def test_one_transaction_that_two_withdrawals_name_is_one_of_them(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000, 5_000) as (world, stub):
        two_asked(world, stub)
        one_for_both = world.send("exchange", 995, "loan")
        for one in stub.asked:
            one.done, one.tx_id = True, one_for_both
        for _ in range(3):
            world.round()
        assert sorted(move.state for move in asked(world)) == ["arrived", "asked"]


def test_what_was_given_up_and_comes_without_its_memo_does_not_go_back(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000) as (world, stub):
        stub.late = True
        world.take("manager", 1, '{"type":"exchange_to_custodian","amount":1000,"api":1}')
        world.round()
        (move,) = asked(world)
        world.days(1)
        exchange_transfers.give_up(world.custodian, move.id, "lost, they say")
        assert world.take("exchange", 995, None).state == "parked"


def test_from_accounts_that_get_nothing_back_nothing_goes_back_by_taking_up(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000, CONTRACTS_NEVER_REFUND="exchange") as (world, _):
        world.send("exchange", 3_000, None)
        world.blocks(3)
        listener.start_from(world.custodian, None)
        world.listen()
        (one,) = world.operations()
        assert owner.read_by_hand(world.custodian, one.id, owner.Word()) == "parked"
        assert world.dues() == []


def test_a_withdrawal_that_an_exchange_forgets_is_told_of_and_given_up_by_the_owner(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 50_000) as (world, stub):
        one_asked(world, stub)
        (move,) = asked(world)
        with pytest.raises(BadInput, match="a moment ago"):
            exchange_transfers.give_up(world.custodian, move.id, "it is gone")
        stub.asked.clear()
        stub.late = False
        world.days(0.3)
        for _ in range(2):
            said = exchange_transfers.step(world.custodian, 0)
            assert any("not come: run.py contracts withdrawals" in words for words in said)
        assert len([one for one in told(world, "alert") if "does not come" in one.get("warn", "")]) == 1
        with pytest.raises(BadInput, match="say why"):
            exchange_transfers.give_up(world.custodian, move.id, " ")
        assert exchange_transfers.give_up(world.custodian, move.id, "support says that it never left").state == "failed"
        with pytest.raises(BadInput, match="is failed"):
            exchange_transfers.give_up(world.custodian, move.id, "again")
        for _ in range(3):
            world.round()
        assert len(stub.asked) == 1
        assert sums(world, "ann") == [bts(1), bts(2_000)]


def test_a_deposit_of_a_client_that_an_exchange_names_as_its_own_stays_the_clients(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 50_000) as (world, stub):
        one_asked(world, stub)
        world.lock()
        (liar,) = stub.asked
        liar.tx_id, liar.done = world.send("bob", 25_000, "six_months"), True
        world.listen()
        exchange_transfers.step(world.custodian, 0)
        world.unlock()
        world.listen()
        assert "bob" in [one.name for one in world.contracts()]


def test_what_is_missing_is_asked_of_exchanges_before_anything_is_given_up(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 0) as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.pay()
        drained(world)
        world.days(31)
        assert world.round().outlook.missing
        world.days(2)  # nothing runs
        stub.accounts["key-one"].available = Decimal(50_000)
        for _ in range(3):
            world.round()
        assert world.dues("delinquent") == []
        assert sums(world, "ann") == [bts(1), bts(2_000)]


@pytest.mark.parametrize("key", ["AccessKeyId=APIKEY-abcdef", "signature=0123abcd", "api_key=APIKEY"])
def test_a_key_in_an_address_that_was_asked_is_not_told(key: str) -> None:
    account = exchange.CcxtAccount(SimpleNamespace(apiKey="0123abcdef", secret="s3cr3t-words"), "one", network="BTS")
    words = account._words(RuntimeError(f"htx GET https://api.example.org/v1/balance?{key}&x=1 timed out"))
    assert words == "RuntimeError: htx GET https://api.example.org/v1/balance?... timed out"
    said_back = account._words(RuntimeError('{"code": 7, "message": "no key 0123abcdef", "sign": "s3cr3t-words"}'))
    assert said_back == 'RuntimeError: {"code": 7, "message": "no key ...", "sign": "..."}'
