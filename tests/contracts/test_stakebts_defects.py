"""The 21 defects of StakeBTS 2.4, each played here: this program does what StakeBTS meant to do."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.contracts_world import World
from tests.custody_world import (
    FIRST,
    assert_books_whole,
    at_once,
    bts,
    left,
    send_for_another_key,
    sums,
    told,
    with_exchanges,
)
from tests.homes import CHECKOUT
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import audit, dues, exchange_transfers, import_stakebts, listener, overview
from valtrac.contracts import rulings as owner
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.store import contracts, transfers
from valtrac.contracts.store import tables as t
from valtrac.core.errors import BadInput, ValtracError
from valtrac.database.engine import reading, writing
from valtrac.devnet import bitshares
from valtrac.exchanges.account import open_account
from valtrac.loggers.jobs import payments


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def begun(world: World, who: str = "ann", whole: int = 25_000, word: str = "three_months") -> None:
    """A contract that stands, its notice paid."""
    assert world.take(who, whole, word).kind == "contract"
    world.round()


def delinquent(world: World, who: str = "ann") -> int:
    """A reward of 2000 BTS that was above the cap for longer than the owner's patience; its number."""
    begun(world, who)
    world.set(contracts_cap_payment="1500")
    world.days(31)
    world.round()
    (one,) = world.dues("delinquent")
    world.set(contracts_cap_payment="1000000")
    return one.id


# -- D1 ... D3: requests -------------------------------------------------------------------------------------


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


# -- D4, D5: money that goes to the wrong one, or nowhere ------------------------------------------------------


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
        assert [(one.address, one.amount) for one in stub.asked] == [("custodian", 5_005)]
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


# -- D6: delinquent ones ------------------------------------------------------------------------------------------


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


# -- D7 ... D12 ---------------------------------------------------------------------------------------------------


def test_d07_the_requests_of_a_skipped_block_are_written_down_and_not_carried_out(world: World) -> None:
    """D7: the list of blocks to skip was compared with an object and never matched."""
    next_block = bitshares.status(world.path)["head"] + 1
    world.set(contracts_skip_blocks=f"1,{next_block}")
    assert world.take("ann", 25_000, "three_months").kind == "skipped"
    assert world.take("bob", 25_000, "three_months").kind == "contract"
    listener.start_from(world.custodian, FIRST + 1)
    world.round()
    assert [one.name for one in world.contracts()] == ["bob"]
    assert sums(world, "ann") == []


def test_d07_what_a_skipped_block_held_is_taken_up_once_when_the_owner_says_so(world: World) -> None:
    next_block = bitshares.status(world.path)["head"] + 1
    world.set(contracts_skip_blocks=f"{next_block},{next_block + 4}")
    skipped, other = world.take("ann", 25_000, "three_months"), world.take("bob", 777, "nonsense")
    assert (skipped.kind, other.kind) == ("skipped", "skipped")
    with pytest.raises(BadInput, match="ask for nothing"):
        owner.read_by_hand(world.custodian, skipped.id, owner.Word(memo="nonsense"))
    assert world.contracts() == []
    assert owner.read_by_hand(world.custodian, skipped.id, owner.Word()) == "contract"
    assert owner.read_by_hand(world.custodian, other.id, owner.Word(refund=True)) == "returned"
    for one in (skipped, other):
        with pytest.raises(BadInput, match="is handled"):
            owner.read_by_hand(world.custodian, one.id, owner.Word(refund=True))
    listener.start_from(world.custodian, FIRST + 1)
    world.round()
    assert [one.name for one in world.contracts()] == ["ann"]
    assert sums(world, "ann") == [bts(1)]
    assert sums(world, "bob") == [bts(777)]


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert datetime.fromtimestamp(0).hour == 19  # noqa: DTZ006 - that is the point
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
def test_d08_a_contract_starts_at_the_time_of_its_block_in_utc_wherever_the_host_is(tmp_path: Path) -> None:
    """D8: block times were parsed in the host's time zone: in New York every payment fell due four hours late."""
    world = World(tmp_path)
    try:
        operation = world.take("ann", 25_000, "three_months")
        said = bitshares.Client(world.path).call("get_block", operation.block)["timestamp"]
        start = datetime.fromisoformat(said).replace(tzinfo=UTC)
        (contract,) = world.contracts()
        assert contract.start_at == start
        first = min(one.due_at for one in world.dues(type_="reward"))
        assert (first - start).total_seconds() == 30 * 86_400
        world.round()
        world.days((first - world.now).total_seconds() / 86_400 - 0.1)
        assert world.round().paid == 0
        world.days(0.11)
        assert world.round().paid == 1
    finally:
        world.close()


def test_d09_no_python_version_is_compared_as_a_float() -> None:
    """D9: float("3.11") < 3.8, so that Python 3.10 and later were refused."""
    from packaging.specifiers import SpecifierSet

    wanted = SpecifierSet(tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert all(wanted.contains(version) for version in ("3.11", "3.12", "3.13", "3.14"))
    sources = [CHECKOUT / "run.py", *(CHECKOUT / "valtrac").rglob("*.py"), *(CHECKOUT / "menus").rglob("*.py")]
    asked = re.compile(r"sys\.version\b|platform\.python_version")
    assert [path.name for path in sources if asked.search(path.read_text("utf-8"))] == []


def test_d10_with_payments_switched_off_nothing_is_paid_and_nothing_breaks(tmp_path: Path) -> None:
    """D10: MAKE_PAYMENTS = False ended in an unbound name."""
    with with_exchanges(tmp_path, 10_000, CONTRACTS_PAYMENTS="no") as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.take("ann", 1, "stop")
        world.take("bob", 25_000, "six_months")
        world.days(31)
        world.listen()
        app = SimpleNamespace(
            custodian=world.custodian,
            settings=world.settings,
            engine=world.engine,
            locked=False,
            payer=lambda: world.payer,
        )
        assert "switched off" in payments.tick(app).words
        assert (left(world), stub.asked, world.dues("processing", "paid", "confirmed")) == ([], [], [])
        world.set(contracts_payments="yes")
        app.settings, app.custodian = world.settings, world.custodian
        payments.tick(app, poll_s=0.0)
        world.round()
        assert bts(21_250) in sums(world, "ann")


@pytest.mark.parametrize("trouble", ["down", "refuse", "keys", "lossy"])
def test_d11_errors_of_an_exchange_are_noticed_and_said(tmp_path: Path, trouble: str) -> None:
    """D11: errors of the exchange were looked for in a text and never found."""
    with with_exchanges(tmp_path, 50_000) as (world, stub):
        if trouble == "down":
            stub.down = True
        elif trouble == "refuse":
            stub.refuse = 1
        elif trouble == "lossy":
            stub.lose_replies = 1
        else:
            stub.accounts["key-one"].secret = "changed"
        said = exchange_transfers.step(world.custodian, bts(5_000))
        words = {
            "down": "does not tell",
            "refuse": "refused a withdrawal",
            "keys": "does not accept its keys",
            "lossy": "no clear answer",
        }[trouble]
        assert [words in one for one in said] == [True]
        if trouble == "refuse":
            assert "Insufficient" in told(world, "exchange_failed")[0]["error"]
        assert audit.note_balances(world.custodian, world.chain.finalized())
        known = told(world, "balances")[0]["balances"]["1"]
        assert (known is None) == (trouble in ("down", "keys"))


def test_d12_what_is_past_due_is_shown_and_what_is_being_paid_is_still_owed(world: World) -> None:
    """D12: past due never showed, and the gross liability left out what was being paid."""
    begun(world)
    gross = bts(25_000 + 3 * 2_000)
    assert overview.liabilities(world.engine, world.now).gross == gross
    world.days(31)
    world.listen()
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.past_due) == (gross, bts(2_000))
    assert any("past due" in words for words in domain.warnings(found, bts(10**6), None))
    bitshares.misbehave(world.path, hold_pool=True)
    with pytest.raises(Exception, match="not seen again"):
        dues.pay(world.custodian, world.payer, patience_s=3, poll_s=0)
    assert [one.state for one in world.dues("processing", "paid")] in (["paid"], ["processing"])
    assert overview.liabilities(world.engine, world.now).gross == gross
    bitshares.misbehave(world.path, hold_pool=False)
    world.round()
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.past_due, found.processed_48h) == (gross - bts(2_000), 0, bts(2_000))


# -- D13: cover ---------------------------------------------------------------------------------------------------


def test_d13_accounts_with_too_little_are_neither_counted_nor_emptied(tmp_path: Path) -> None:
    """D13: accounts of 510 and less counted in the sum that decided, and were not drawn upon."""
    with with_exchanges(tmp_path, 510, 500, 300) as (world, stub):
        assert exchange_transfers.step(world.custodian, bts(1_000)) == []
        assert (stub.asked, exchange_transfers.on_the_way(world.custodian)) == ([], 0)


def test_d13_two_payments_that_lack_money_are_covered_by_one_withdrawal_for_both(tmp_path: Path) -> None:
    """D13: concurrent payments each withdrew, and then spent the same balance."""
    with with_exchanges(tmp_path, 200_000, custodian=0) as (world, stub):
        bitshares.fund(world.path, "custodian", bts(500))
        for who in ("ann", "bob"):
            world.take(who, 25_000, "three_months")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", bts(50_000), "rent")
        for who in ("ann", "bob"):
            world.take(who, 1, "stop")
        for _ in range(4):
            world.round()
        assert len(stub.asked) == 1
        assert sums(world, "ann")[-1] == sums(world, "bob")[-1] == bts(21_250)
        assert_books_whole(world)


def test_d13_two_payers_at_once_ask_each_account_once(tmp_path: Path) -> None:
    """D13: whoever thinks of a cover at the same time, one of an account is on its way at most."""
    with with_exchanges(tmp_path, 3_000, 3_000) as (world, stub):
        stub.late = True
        step = lambda: exchange_transfers.step(world.custodian, bts(5_000))  # noqa: E731
        at_once(step, step, step)
        keys = [one.key for one in stub.asked]
        assert sorted(set(keys)) == sorted(keys)
        assert all(one.amount <= 2_990 for one in stub.asked)


# -- D14 ... D17: how it runs ---------------------------------------------------------------------------------------


def test_d14_hundreds_of_blocks_are_read_over_one_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """D14: every question for the newest block opened a new websocket."""
    from valtrac.devnet.bitshares.server import Server

    opened = []
    serve = Server._serve
    monkeypatch.setattr(Server, "_serve", lambda self, link: (opened.append(link), serve(self, link))[1])
    with Server(world.path) as node:
        chain = connect.open_node([node.url], network="devnet", timeout_s=10)
        chain.keys = dev_keys("custodian")
        custodian = replace(world.custodian, chain=chain)
        for _ in range(10):
            world.blocks(30)
            listener.listen(custodian)
        assert len(opened) == 1
        assert len(node.log) < 300 * 2 + 200
        chain.close()


def test_d14_an_error_of_the_database_is_raised_and_not_tried_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D14: any SQL error, a full disk or a mistyped name, was retried for ever."""
    tries = []

    def broken(*_: object, **__: object) -> bool:
        tries.append(1)
        raise sa.exc.OperationalError("UPDATE cursors", {}, Exception("database or disk is full"))

    world.send("ann", 25_000, "three_months")
    with monkeypatch.context() as patch:
        patch.setattr(transfers, "set_cursor", broken)
        with pytest.raises(ValtracError) as said:
            world.listen()
        assert "full" in str(said.value.why)
    assert (len(tries), world.operations()) == (1, [])
    world.listen()
    assert len(world.contracts()) == 1


@pytest.mark.parametrize("first_block", [59_120_000, 60_692_990, 60_700_000])
@pytest.mark.parametrize("memo", ["three_months", "'three_months'", '{"type":"three_months"}'])
def test_d15_a_memo_means_the_same_in_every_block(tmp_path: Path, first_block: int, memo: str) -> None:
    """D15: whether words without JSON counted hung on the block that the database was at, not on the memo's."""
    world = World(tmp_path, first_block=first_block)
    try:
        assert world.take("ann", 25_000, memo).kind == "contract"
        listener.start_from(world.custodian, first_block + 1)
        world.listen()
        assert len(world.contracts()) == 1
    finally:
        world.close()


@pytest.mark.parametrize("request_", ["contract", "refund", "stop"])
def test_d16_a_crash_between_effects_and_cursor_leaves_nothing_and_is_done_once_later(
    world: World, monkeypatch: pytest.MonkeyPatch, request_: str
) -> None:
    """D16: a block was marked as done after its effects, so that a crash in between did them twice."""
    begun(world)
    what = {"contract": ("bob", 50_000, "six_months"), "refund": ("bob", 99, "hello"), "stop": ("ann", 1, "stop")}
    world.send(*what[request_])
    world.blocks(3)
    with reading(world.engine) as conn:
        before = [conn.execute(sa.select(table)).all() for table in (t.operations, t.contracts, t.dues, t.events)]
        at = transfers.cursor(conn)

    class Crash(BaseException):
        pass

    def crash(*_: object, **__: object) -> bool:
        raise Crash

    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(transfers, "set_cursor", crash)
        listener.listen(world.custodian)
    with reading(world.engine) as conn:
        assert transfers.cursor(conn) == at
        assert before == [
            conn.execute(sa.select(table)).all() for table in (t.operations, t.contracts, t.dues, t.events)
        ]
    for _ in range(3):
        world.round()
    paid = {"contract": [bts(1)], "refund": [bts(49)], "stop": []}[request_]
    assert sums(world, "bob") == paid
    assert sums(world, "ann") == ([bts(1), bts(21_250)] if request_ == "stop" else [bts(1)])


def test_d17_no_key_and_no_memo_is_printed_or_logged(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """D17: raw memos were printed everywhere, and the exchange's key with them."""
    caplog.set_level(logging.INFO)
    wifs = list(dev_keys("custodian").by_public.values())
    with with_exchanges(tmp_path, 90_000, custodian=1_000) as (world, stub):
        account = stub.accounts.pop("key-one")
        account.secret = "marker-secret-5af1"
        stub.accounts["marker-key-77c0"] = account
        keys = {"key": "marker-key-77c0", "secret": "marker-secret-5af1"}
        opened = open_account("poloniex", "one", keys, network="BTS", timeout_s=5, urls=stub.urls)
        world.custodian = replace(world.custodian, exchanges=(opened,))
        world.take("ann", 25_000, "three_months")
        world.take("bob", 1_000, "marker-memo-31d9")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", bts(24_000), "marker-memo-31d9")
        world.take("ann", 1, "stop")
        said = []
        for trouble in ("lose_replies", "refuse", "down", "changed", "well"):
            if trouble == "changed":
                stub.accounts["marker-key-77c0"].secret = "other"
            elif trouble != "well":
                setattr(stub, trouble, 1)
            said += exchange_transfers.step(world.custodian, bts(20_000))
            stub.down = False
            stub.accounts["marker-key-77c0"].secret = "marker-secret-5af1"
            world.round()
        assert said
        with reading(world.engine) as conn:
            trail = [str(conn.execute(sa.select(table)).all()) for table in (t.events, t.moves, t.dues, t.operations)]
        logs = [path.read_text("utf-8", "replace") for path in (tmp_path / "logs").rglob("*") if path.is_file()]
        captured = capfd.readouterr()
        printed = "".join((captured.out, captured.err, caplog.text, *said, *logs))

        shown = repr(opened) + repr(world.custodian) + repr(world.chain.keys) + repr(world.payer)
        for secret in ("marker-secret-5af1", "marker-key-77c0", *wifs):
            assert secret not in printed + shown + "".join(trail)
        assert "marker-memo-31d9" not in printed + shown


# -- D18 ... D21 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [0.5, 1, 40, 50, 51, 55, 60, 60.99999])
def test_d18_what_is_too_small_for_a_refund_is_kept_and_said_to_be_kept(world: World, whole: float) -> None:
    """D18: of 51 to 60 BTS nothing went back while the receipt said that 50 were charged, below 50 that none were."""
    assert world.take("ann", whole, "fail_memo").kind == "kept"
    world.round()
    assert (world.dues(), left(world)) == ([], [])
    (event,) = told(world, "kept")
    assert "all of it is kept" in event["warn"]
    assert told(world, "refund") == []


@pytest.mark.parametrize(("whole", "back"), [(61, 11), (61.99999, 11), (99, 49), (25_000, 24_950)])
def test_d18_what_goes_back_says_what_was_charged(world: World, whole: float, back: int) -> None:
    """D18: the memo names the fee, and the trail what was really charged, fractions included."""
    assert world.take("ann", whole, "fail_memo").kind == "invalid"
    world.round()
    (paid,) = left(world, "ann")
    assert (paid.units, paid.memo) == (bts(back), "50 BTS fee charged: the memo is none of the known words")
    (event,) = told(world, "refund")
    assert bts(float(event["fee"])) + bts(float(event["pays"])) == bts(whole)


def test_d19_an_import_marks_the_contracts_of_its_list_only(world: World) -> None:
    """D19: what had been paid by hand was marked on every contract of that name, new ones too."""
    begun(world)
    begun(world, "ann", 50_000, "six_months")
    world.days(61)
    world.listen()
    old, other = world.contracts()
    before = left(world)
    ms = int(old.start_at.timestamp() * 1000)
    look = import_stakebts.preview(
        world.custodian, import_stakebts.read_text(f"ann {ms} 25000 3 2", world.settings.contract_terms)
    )
    assert import_stakebts.apply(world.custodian, look) == (0, 2, 0)
    states = {one.id: [] for one in (old, other)}
    for row in world.dues(type_="reward"):
        states[row.contract_id].append(row.state)
    assert states == {old.id: ["paid", "paid", "pending"], other.id: ["pending"] * 6}
    assert (left(world), len(world.contracts())) == (before, 2)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(1), bts(4_000), bts(4_000)]


def test_d20_a_row_that_comes_between_looking_and_taking_is_paid_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D20: rows inserted between SELECT and UPDATE were marked as processing and never paid."""
    begun(world)
    world.take("bob", 1_000, "nonsense")
    world.send("cid", 2_000, "nonsense")
    world.blocks(3)
    payable, late = contracts.payable, []

    def then_another(conn: sa.Connection, now: datetime) -> list:
        found = payable(conn, now)
        if not late:
            late.append(1)
            other = threading.Thread(target=listener.listen, args=(world.custodian,))
            other.start()
            other.join()
        return found

    monkeypatch.setattr(contracts, "payable", then_another)
    world.pay()
    assert late
    assert all(one.line_id is not None for one in world.dues("processing", "paid", "confirmed"))
    world.round()
    assert (sums(world, "bob"), sums(world, "cid")) == ([bts(950)], [bts(1_950)])


def test_d21_contracts_are_told_apart_by_block_transaction_and_operation(world: World) -> None:
    """D21: the number by which they were told apart was the time of insertion, which two may share."""
    rows = [("ann", "custodian", bts(25_000), "three_months")] * 2
    bitshares.Client(world.path).transfers(rows)
    bitshares.transfer(world.path, "ann", "custodian", bts(25_000), "three_months")
    world.blocks(1)
    world.listen()
    made = world.contracts()
    block = made[0].block
    assert [one.key for one in made] == [f"{block}:0:0", f"{block}:0:1", f"{block}:1:0"]
    assert len({one.nonce for one in world.dues()}) == 1
    world.round()
    assert sums(world, "ann") == [bts(1)] * 3
    world.take("ann", 1, "stop")
    world.round()
    assert sums(world, "ann")[3:] == [bts(3 * 21_250)]


def test_d21_the_database_refuses_a_second_row_of_a_kind(world: World) -> None:
    """D21: whatever goes wrong above it, a contract has one principal and a request one refund."""
    begun(world)
    world.take("bob", 1_000, "nonsense")
    with reading(world.engine) as conn:
        rows = [dict(row._mapping) for row in conn.execute(sa.select(t.dues))]
        operation = dict(conn.execute(sa.select(t.operations)).first()._mapping)
    for row in rows:
        with pytest.raises(sa.exc.IntegrityError), writing(world.engine) as conn:
            conn.execute(t.dues.insert().values({**row, "id": None, "line_id": None, "state": "pending"}))
    with pytest.raises(sa.exc.IntegrityError), writing(world.engine) as conn:
        conn.execute(t.operations.insert().values({**operation, "id": None}))
