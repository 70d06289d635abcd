"""Odd turns of an owner, a manager, an exchange or a restored copy: nothing is paid twice, forgotten or kept silent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import at_once, bts, left, send_for_another_key, sums, told, with_exchanges
from valtrac.adapters import exchange
from valtrac.devnet import graphene
from valtrac.errors import BadInput, ChainUnreachable, Refused, ValtracError
from valtrac.services import books, cover, dues, listener, payout_log
from valtrac.services import contracts as owner
from valtrac.services.delinquents import impatient
from valtrac.services.house import find_custodian
from valtrac.services.legacy import stakebts
from valtrac.store import moves, operations
from valtrac.store.engine import open_engine, reading


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def copied(world: World, name: str) -> Path:
    """A copy of the database as a backup makes it."""
    to = world.folder / name
    with sqlite3.connect(world.folder / "data" / "valtrac-bitshares-devnet.sqlite") as old, sqlite3.connect(to) as new:
        old.backup(new)
    return to


def drained(world: World, keep: int = 500) -> None:
    """Everything but that leaves the account, by the owner's own hand."""
    graphene.transfer(world.path, "custodian", "dee", bts(world.held("custodian") // 100_000 - keep), "by hand")
    world.listen()
    for one in world.operations("unruled"):
        owner.rule(world.house, one.id, words="to another wallet of mine")


def asked(world: World) -> list[moves.Move]:
    with reading(world.engine) as conn:
        return moves.listed(conn)


class Lost:
    """The unlocked account at a node that loses every transaction."""

    def __init__(self, payer: Any) -> None:
        self.payer, self.address = payer, payer.address

    def sign(self, *args: Any, **named: Any) -> Any:
        return self.payer.sign(*args, **named)

    def broadcast(self, raw: bytes) -> None:
        raise ChainUnreachable("the request was lost", "", "")


class NotThatMuch(Lost):
    """The unlocked account at a node that refuses every transaction with a payment of a certain amount."""

    def __init__(self, payer: Any, world: World, units: int) -> None:
        super().__init__(payer)
        self.world, self.units = world, units

    def broadcast(self, raw: bytes) -> None:
        if self.units in {one.units for one in self.world.chain.decode(raw).payments}:
            raise Refused("the node refused the transaction", "assert failed", "")
        self.payer.broadcast(raw)


# -- beginning, and restored copies -------------------------------------------------------------------------------


def test_a_restored_copy_that_begins_with_what_comes_now_pays_nothing_again(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    old = copied(world, "backup.sqlite")
    world.pay()
    world.blocks(40)
    engine = open_engine(old)  # on another machine, where no log of payments is
    house = replace(world.house, engine=engine, log=world.folder / "elsewhere" / "contract_payments.csv")
    assert listener.start_from(house, None) > 40
    with pytest.raises(Refused, match="blocks behind"):
        dues.pay(house, world.payer)
    listener.listen(house)
    assert dues.pay(house, world.payer).outlook.held
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    with reading(engine) as conn:
        assert [one.units for one in operations.listed(conn, "unruled")] == [bts(2_000)]
    engine.dispose()


def test_a_block_ahead_is_no_way_past_what_left_the_account(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    old = copied(world, "backup.sqlite")
    world.pay()
    world.blocks(40)
    world.send("bob", 25_000, "six_months")
    world.blocks(5)
    engine = open_engine(old)
    house = replace(world.house, engine=engine, log=world.folder / "elsewhere" / "contract_payments.csv")
    assert listener.start_from(house, world.chain.finalized().number) > 40
    listener.listen(house)
    assert dues.pay(house, world.payer).outlook.held
    with reading(engine) as conn:
        assert [(one.name, one.kind) for one in operations.listed(conn, "handled")][-1] == ("bob", "skipped")
        (unruled,) = operations.listed(conn, "unruled")
    with pytest.raises(Refused):
        owner.rule(house, unruled.id)
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    engine.dispose()


def test_an_import_is_read_on_from_where_the_program_before_had_stopped(world: World, tmp_path: Path) -> None:
    path, read_to = stakebts_file(world, tmp_path), world.chain.finalized().number
    with sqlite3.connect(path) as db:
        db.execute("UPDATE block SET block_num = ?", (read_to,))
    graphene.transfer(world.path, "custodian", "ann", bts(2_000), "by the program before, after it had last written")
    world.blocks(40)
    engine = open_engine(tmp_path / "new.sqlite")
    house = replace(world.house, engine=engine, log=tmp_path / "new.csv")
    find_custodian(engine, world.chain, world.settings)
    found, odd, receipts, last = stakebts.read_database(path)
    stakebts.apply(house, stakebts.preview(house, found, notes=odd, receipts=receipts, read_to=last))
    listener.start_from(house, None)
    listener.listen(house)
    assert dues.pay(house, world.payer).outlook.held
    assert sums(world, "ann") == [bts(2_000)]
    engine.dispose()


def test_another_asset_in_a_block_that_was_passed_over_is_never_taken_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = world.chain.transfers

    def other_asset(*args: Any) -> Iterator[Any]:
        for block in real(*args):
            yield replace(block, transfers=tuple(replace(one, asset_id="1.3.121") for one in block.transfers))

    monkeypatch.setattr(world.chain, "transfers", other_asset)
    world.send("bob", 25_000, "three_months")
    world.blocks(3)
    listener.start_from(world.house, None)
    world.listen()
    (one,) = world.operations()
    for words in ({}, {"refund": True}, {"memo": "three_months"}):
        with pytest.raises(BadInput):
            owner.read_by_hand(world.house, one.id, **words)
    assert world.contracts() == [] and world.dues() == []


def test_what_was_skipped_is_taken_up_in_its_order(world: World) -> None:
    first = graphene.status(world.path)["head"] + 1
    world.send("ann", 25_000, "three_months")
    world.blocks(3)
    listener.start_from(world.house, None)
    world.listen()
    world.take("ann", 1, "stop")
    (deposit,) = [one for one in world.operations() if one.kind == "skipped"]
    with pytest.raises(Refused, match="asked to stop after"):
        owner.read_by_hand(world.house, deposit.id)
    listener.start_from(world.house, first)  # a replay does not let it run on either
    world.listen()
    assert world.contracts() == []
    (parked,) = world.operations("parked")
    assert parked.id == deposit.id
    owner.read_by_hand(world.house, deposit.id, refund=True)
    world.round()
    assert sums(world, "ann") == [bts(25_000)]


def test_a_newer_request_is_not_taken_up_before_an_older_one(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(1)
    world.send("ann", 1, "stop")
    world.blocks(3)
    listener.start_from(world.house, None)
    world.listen()
    deposit, stop = world.operations()
    with pytest.raises(Refused, match="older transfer"):
        owner.read_by_hand(world.house, stop.id)
    assert owner.read_by_hand(world.house, deposit.id) == "contract"
    assert owner.read_by_hand(world.house, stop.id) == "stop"
    world.round()
    assert bts(21_250) in sums(world, "ann")


def test_the_log_beside_an_older_copy_stops_it_only_until_all_is_ruled_on(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    old = copied(world, "backup.sqlite")
    world.pay()
    world.blocks(3)
    engine = open_engine(old)
    house = replace(world.house, engine=engine)
    listener.listen(house)
    world.send("bob", 777, "nonsense")
    world.blocks(3)
    listener.listen(house)
    assert any("does not know" in words or "contracts rule" in words for words in said_by(house, world))
    with reading(engine) as conn:
        (one,) = operations.listed(conn, "unruled")
    owner.rule(house, one.id, pays=owner.matching(engine, one)[0].id)
    dues.pay(house, world.payer, patience_s=200, poll_s=0)
    assert sums(world, "bob") == [bts(727)]
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    engine.dispose()


def said_by(house: Any, world: World) -> list[str]:
    """What a round says, or is refused with."""
    try:
        return list(dues.pay(house, world.payer, patience_s=200, poll_s=0).words)
    except ValtracError as error:
        return [error.what, error.why, error.fix]


def test_what_came_while_the_listener_was_down_is_written_down_also_when_it_begins_with_now(world: World) -> None:
    world.send("bob", 25_000, "six_months")
    world.blocks(5)
    assert listener.start_from(world.house, None) > 0
    world.take("cid", 25_000, "three_months")
    assert [one.name for one in world.contracts()] == ["cid"]
    (skipped,) = [one for one in world.operations() if one.name == "bob"]
    assert (skipped.state, skipped.kind) == ("handled", "skipped")
    assert owner.read_by_hand(world.house, skipped.id) == "contract"
    assert sorted(one.name for one in world.contracts()) == ["bob", "cid"]


def test_what_was_skipped_is_carried_out_by_a_replay_once_it_is_not_skipped_any_more(world: World) -> None:
    block = graphene.status(world.path)["head"] + 1
    world.set(contracts_skip_blocks=str(block))
    world.take("ann", 25_000, "three_months")
    world.set(contracts_skip_blocks="")
    for _ in range(2):
        listener.start_from(world.house, block)
        world.round()
    assert [one.name for one in world.contracts()] == ["ann"]
    assert sums(world, "ann") == [bts(1)]


def test_a_transaction_is_not_sent_again_while_its_payment_is_held(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    engine = open_engine(copied(world, "copy.sqlite"))
    with pytest.raises(ValtracError):
        dues.pay(world.house, Lost(world.payer), patience_s=1, poll_s=0)
    other = replace(world.house, engine=engine, log=world.folder / "other" / "log.csv")
    assert dues.pay(other, world.payer, patience_s=200, poll_s=0).paid == 1
    world.listen()
    assert world.operations("unruled")
    done = world.pay()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    assert any("ann waits: transfer" in words for words in done.words)
    engine.dispose()


# -- the owner's word ---------------------------------------------------------------------------------------------


def test_a_memo_that_is_read_at_this_moment_is_not_answered_twice(world: World) -> None:
    world.lock()
    waiting = world.take("ann", 25_000, "three_months")
    accounts = world.chain.accounts

    def meanwhile(ids: Any) -> Any:
        world.chain.accounts = accounts  # type: ignore[method-assign]
        world.unlock()
        listener.read_again(world.house, world.chain.finalized())
        return accounts(ids)

    world.chain.accounts = meanwhile  # type: ignore[method-assign, assignment]
    with pytest.raises(Refused, match="meanwhile"):
        owner.read_by_hand(world.house, waiting.id, refund=True)
    assert len(world.contracts()) == 1
    assert [one.type for one in world.dues("pending") if one.type == "refund"] == []


def test_two_windows_say_two_things_about_one_deposit_and_one_counts(world: World) -> None:
    for _ in range(3):
        send_for_another_key(world, "ann", 25_000, "three_months")
        while not world.operations("parked"):
            world.listen()
        (one,) = world.operations("parked")
        acts = [
            lambda number=one.id: owner.read_by_hand(world.house, number, refund=True),
            lambda number=one.id: owner.read_by_hand(world.house, number, memo="three_months"),
        ]
        said = at_once(*acts)
        assert sum(isinstance(what, str) for what in said) == 1, said
    refunds = sum(one.type == "refund" for one in world.dues("pending"))
    assert refunds + len(world.contracts()) == 3


def test_all_of_it_means_all_of_it(world: World) -> None:
    send_for_another_key(world, "ann", 123.45678, "six_months")
    while not world.operations("parked"):
        world.listen()
    owner.read_by_hand(world.house, world.operations("parked")[0].id, refund=True)
    world.round()
    assert sums(world, "ann") == [12_345_678]


def test_a_transfer_of_another_asset_is_never_taken_for_a_payment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    tx_id, real = graphene.transfer(world.path, "custodian", "ann", bts(2_000), "x"), world.chain.transfers

    def other_asset(*args: Any) -> Iterator[Any]:
        for block in real(*args):
            changed = (replace(one, asset_id="1.3.121") if one.tx_id == tx_id else one for one in block.transfers)
            yield replace(block, transfers=tuple(changed))

    monkeypatch.setattr(world.chain, "transfers", other_asset)
    world.listen()
    (one,) = world.operations("unruled")
    assert owner.matching(world.engine, one) == []
    (reward,) = [due for due in world.dues("pending") if due.units == bts(2_000) and due.number == 1]
    with pytest.raises(BadInput, match=r"200000000 units of 1\.3\.121"):
        owner.rule(world.house, one.id, pays=reward.id)
    owner.rule(world.house, one.id, words="another asset")
    assert reward.id in [due.id for due in world.dues("pending")]


def test_who_was_paid_by_another_hand_is_not_told_that_it_failed(tmp_path: Path) -> None:
    world = World(tmp_path, CONTRACTS_CAP_PAYMENT="1500")
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(32)
    world.listen()
    impatient(world.house, world.chain.finalized())
    (late,) = world.dues("delinquent")
    graphene.transfer(world.path, "custodian", "ann", bts(2_000), "by hand")
    world.listen()
    owner.rule(world.house, world.operations("unruled")[0].id, pays=late.id)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    world.close()


def test_where_payments_are_switched_off_no_command_pays(world: World) -> None:
    world.take("ann", 777, "nonsense")
    world.set(contracts_payments="no")
    with pytest.raises(Refused, match="switched off"):
        world.pay()
    assert sums(world, "ann") == []
    world.set(contracts_payments="yes")
    assert world.pay().paid == 1


# -- managers and exchanges ---------------------------------------------------------------------------------------


def test_what_a_manager_wanted_sent_is_not_sent_days_later(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 1_000) as (world, _):
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":900000,"api":1}')
        world.round()
        assert any("wait until there is money" in words for words in world.round().words)
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
        unlocked = world.house
        world.house = replace(unlocked, exchanges=())
        world.take("manager", 1, '{"type":"exchange_to_custodian","amount":1000,"api":1}')
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":1000,"api":1}')
        world.days(1)
        world.house = replace(world.house, exchanges=unlocked.exchanges)
        world.round()
        world.round()
        assert stub.asked == []
        assert [move.state for move in asked(world)] == ["failed"]
        assert sums(world, "exchange") == []


def test_what_a_manager_wanted_sent_days_ago_is_not_sent_also_where_there_is_money(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 1_000) as (world, _):
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":1000,"api":1}')
        cover.step(world.house, 0)
        world.days(5)
        world.round()
        assert sums(world, "exchange") == []


def test_what_a_manager_wanted_sent_and_no_node_took_is_left_after_half_a_day(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 1_000) as (world, _):
        world.take("manager", 1, '{"type":"custodian_to_exchange","amount":1000,"api":1}')
        cover.step(world.house, 0)
        with pytest.raises(ValtracError):
            dues.pay(world.house, Lost(world.payer), patience_s=1, poll_s=0)
        world.days(20)
        world.round()
        assert sums(world, "exchange") == []
        assert world.dues("delinquent") == []
        assert [one.state for one in world.dues() if one.type == "exchange"] == ["aborted"]


def test_two_withdrawals_in_one_transaction_are_each_known(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000, 5_000) as (world, stub):
        stub.late = True
        for number in (1, 2):
            world.take("manager", 1, f'{{"type":"exchange_to_custodian","amount":1000,"api":{number}}}')
        world.round()
        client = graphene.Client(world.path)
        both = client.transfers([("exchange", "custodian", bts(995), None), ("exchange", "custodian", bts(995), None)])
        for one in stub.asked:
            one.done, one.tx_id = True, both
        for _ in range(3):
            world.round()
        assert [move.state for move in asked(world)] == ["arrived", "arrived"]
        assert len({move.arrived_id for move in asked(world)}) == 2


def test_one_transaction_that_two_withdrawals_name_is_one_of_them(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000, 5_000) as (world, stub):
        stub.late = True
        for number in (1, 2):
            world.take("manager", 1, f'{{"type":"exchange_to_custodian","amount":1000,"api":{number}}}')
        world.round()
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
        cover.give_up(world.house, move.id, "lost, they say")
        assert world.take("exchange", 995, None).state == "parked"


def test_from_accounts_that_get_nothing_back_nothing_goes_back_by_taking_up(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 5_000, CONTRACTS_NEVER_REFUND="exchange") as (world, _):
        world.send("exchange", 3_000, None)
        world.blocks(3)
        listener.start_from(world.house, None)
        world.listen()
        (one,) = world.operations()
        assert owner.read_by_hand(world.house, one.id) == "parked"
        assert world.dues() == []


def test_a_client_hears_of_a_failure_though_paying_by_hand_was_tried(tmp_path: Path) -> None:
    world = World(tmp_path, CONTRACTS_CAP_PAYMENT="1500")
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(32)
    world.listen()
    impatient(world.house, world.chain.finalized())
    (late,) = world.dues("delinquent")
    bad = NotThatMuch(world.payer, world, bts(2_000))
    for _ in range(6):
        with suppress(ValtracError):
            dues.pay_delinquent(world.house, bad, late.id, "2000", patience_s=60)
        world.days(0.1)
        world.listen()
        with suppress(ValtracError):
            dues.pay(world.house, bad, patience_s=60, poll_s=0)
    assert late.id in [one.id for one in world.dues("delinquent")]
    for _ in range(4):
        world.days(0.1)
        world.round()
    assert [one.units for one in left(world, "ann") if "could not be made" in (one.memo or "")] == [bts(1)]
    world.close()


def test_a_withdrawal_that_an_exchange_forgets_is_told_of_and_given_up_by_the_owner(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 50_000) as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.pay()
        drained(world)
        stub.late = True
        world.days(31)
        world.round()
        (move,) = asked(world)
        with pytest.raises(BadInput, match="a moment ago"):
            cover.give_up(world.house, move.id, "it is gone")
        stub.asked.clear()
        stub.late = False
        world.days(0.3)
        for _ in range(2):
            said = cover.step(world.house, 0)
            assert any("not come: run.py contracts moves" in words for words in said)
        assert len([one for one in told(world, "alert") if "does not come" in one.get("warn", "")]) == 1
        with pytest.raises(BadInput, match="say why"):
            cover.give_up(world.house, move.id, " ")
        assert cover.give_up(world.house, move.id, "support says that it never left").state == "failed"
        with pytest.raises(BadInput, match="is failed"):
            cover.give_up(world.house, move.id, "again")
        for _ in range(3):
            world.round()
        assert len(stub.asked) == 1
        assert sums(world, "ann") == [bts(1), bts(2_000)]


def test_a_deposit_of_a_client_that_an_exchange_names_as_its_own_stays_the_clients(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 50_000) as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.pay()
        drained(world)
        stub.late = True
        world.days(31)
        world.round()
        world.lock()
        (liar,) = stub.asked
        liar.tx_id, liar.done = world.send("bob", 25_000, "six_months"), True
        world.listen()
        cover.step(world.house, 0)
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


# -- imports, books, the log --------------------------------------------------------------------------------------


def stakebts_file(
    world: World, folder: Path, *, penalty: str = "pending", principal: str = "pending", processed: int = 0
) -> Path:
    """A database of StakeBTS with one contract of three months that began 32 days ago; its rewards are pending."""
    month, path = 86_400_000 * 30, folder / "old.db"
    start = int(world.now.timestamp() * 1000) - month - 2 * 86_400_000
    rows = [("agreement_3", 1, start, "confirmed", 0), ("base_amount", 25_000, start + 3 * month, principal, 0),
            ("penalty", -3_750, start + 3 * month, penalty, 0)]  # fmt: skip
    rows += [("reward", 2_000, start + number * month, "pending", number) for number in (1, 2, 3)]
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE stakes (nominator, digital_asset, amount INT, type, nonce INT, start INT, due INT, "
            "processed INT, status, block_start INT, trx_idx INT, ops_idx INT, block_processed INT, number INT)"
        )
        db.execute("CREATE TABLE receipts (nonce INT, now INT, msg)")
        db.execute("CREATE TABLE block (block_num INT)")
        db.execute("INSERT INTO block VALUES (60600000)")
        for type_, amount, due_at, status, number in rows:
            times, place = (start, start, due_at, processed), (60_500_000, 0, 0, 60_500_100)
            values = ("ann", "BTS", amount, type_, *times, status, *place, number)
            db.execute(f"INSERT INTO stakes VALUES ({','.join('?' * len(values))})", values)
    return path


@pytest.mark.parametrize(
    ("penalty", "principal", "told_when", "paid", "delinquent"),
    [
        ("confirmed", "confirmed", True, [2_000], 0),
        ("pending", "confirmed", True, [2_000], 0),
        ("confirmed", "confirmed", False, [], 3),
        ("confirmed", "processing", False, [], 4),
        ("processing", "processing", False, [], 4),
    ],
)
def test_the_rewards_of_a_contract_that_was_ended_early_there_are_not_paid_here(
    world: World, tmp_path: Path, penalty: str, principal: str, told_when: bool, paid: list[int], delinquent: int
) -> None:
    ended = int(world.now.timestamp() * 1000) - 86_400_000 if told_when else 0  # after the first reward was due
    path = stakebts_file(world, tmp_path, penalty=penalty, principal=principal, processed=ended)
    found, odd, receipts, last = stakebts.read_database(path)
    look = stakebts.preview(world.house, found, notes=odd, receipts=receipts, read_to=last)
    assert "it was ended early" in " ".join(look.differences)
    stakebts.apply(world.house, look)
    assert len(world.dues("delinquent")) == delinquent
    world.days(100)
    world.round()
    assert sums(world, "ann") == [bts(whole) for whole in paid]


def test_money_that_goes_on_moving_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "BALANCES_EVERY_MS", -1)
    books.reckon(world.house)
    said = []
    for _ in range(5):
        graphene.fund(world.path, "custodian", bts(1))
        world.blocks(books.LASTS + 20)
        world.listen()
        said.append(books.look(world.house, world.chain.finalized()))
    assert any("came that no transfer brought" in words for words in said[:3])
    assert told(world, "alert")


def test_a_log_that_was_changed_by_hand_is_whole_again_at_the_next_look(world: World) -> None:
    for who in ("ann", "bob", "cid"):
        world.take(who, 777, "nonsense")
        world.round()
    log = world.house.log
    assert log is not None
    whole = log.read_bytes().splitlines(keepends=True)
    assert payout_log.sync(world.engine, log) == 0
    log.write_bytes(b"".join([whole[0], whole[1], whole[1], whole[3]]))
    assert payout_log.sync(world.engine, log) == 1
    assert whole[2] in log.read_bytes().splitlines(keepends=True)
