"""StakeBTS's unit testing checklist, its seven sections in order, with the documents' own numbers.

100 is among the amounts that a contract may have, as the checklist says.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contracts_world import World
from tests.custody_world import FIRST, assert_books_whole, bts, left, sums, told, with_exchanges
from valtrac.contracts import import_stakebts, listener, overview
from valtrac.contracts.store import tables as t
from valtrac.contracts.store import transfers
from valtrac.core.chain import Payment
from valtrac.database.engine import reading, writing
from valtrac.devnet import bitshares


def imported(world: World, text: str) -> tuple[int, int, int]:
    look = import_stakebts.preview(world.custodian, import_stakebts.read_text(text, world.settings.contract_terms))
    return import_stakebts.apply(world.custodian, look)


# -- 1) balances and withdrawals ----------


def test_1_a_withdrawal_from_the_account_arrives_and_its_balance_is_that_of_the_chain(world: World) -> None:
    head = world.chain.finalized()
    assert world.chain.balance(world.custodian.account.id, head) == world.held("custodian") == bts(100_000)
    ann = world.chain.named(["ann"])["ann"].id
    before, payer = world.held("ann"), world.payer
    payer.broadcast(payer.sign((Payment(ann, bts(7), "a test"),), nonce=0, period=60).raw)
    world.blocks(3)
    assert world.held("ann") - before == bts(7)
    (paid,) = left(world, "ann")
    assert (paid.units, paid.memo) == (bts(7), "a test")


def test_1_a_withdrawal_from_the_exchange_arrives_less_its_fee_and_its_balance_is_that_of_the_exchange(
    tmp_path: Path,
) -> None:
    with with_exchanges(tmp_path, 1_000.5) as (world, stub):
        (account,) = world.custodian.exchanges
        assert (account.available(), account.withdrawal_fee()) == (bts(1_000.5), bts(5))
        before = world.held("custodian")
        account.withdraw(bts(600), to="custodian", memo="loan_to_bmg")
        world.blocks(3)
        assert world.held("custodian") - before == bts(595)
        assert (account.available(), stub.asked[0].amount) == (bts(400.5), Decimal(600))


# -- 2) block operations listener ----------


def test_2_a_tenth_of_a_bts_is_heard_to_arrive_and_makes_a_receipt_and_no_stake(world: World) -> None:
    operation = world.take("ann", 0.1)
    assert (operation.direction, operation.name, operation.units, operation.kind) == ("in", "ann", bts(0.1), "kept")
    (receipt,) = told(world, "transfer")
    assert (receipt["direction"], receipt["from"], receipt["to"], receipt["amount"]) == (
        "IN",
        "ann",
        "custodian",
        "0.10000",
    )
    assert (receipt["block_num"], receipt["trx_idx"], receipt["ops_idx"]) == (operation.block, 0, 0)
    assert (world.contracts(), world.dues()) == ([], [])


# -- 3) database listener ----------


def test_3_an_old_agreement_whose_sixth_reward_falls_due_is_paid_it(world: World) -> None:
    start = int(world.now.timestamp() * 1000) - (6 * 30 * 86_400 - 3_600) * 1_000
    assert imported(world, f"ann\t{start}\t25000\t12\t5") == (1, 0, 0)
    world.round()
    assert sums(world, "ann") == []
    world.days(0.1)
    world.round()
    assert sums(world, "ann") == [bts(2_000)]
    assert [(one.number, one.state) for one in world.dues("confirmed")] == [(6, "confirmed")]
    assert told(world, "paid")[0]["number"] == 6
    assert_books_whole(world)


def test_3_nobody_makes_a_payment_due_by_changing_the_database(world: World) -> None:
    """There, UPDATE stakes SET due=0 was the test; here the database refuses it."""
    world.take("ann", 25_000, "six_months")
    world.round()
    change = t.dues.update().where(t.dues.c.name == "ann", t.dues.c.number == 6).values(due_at=world.now)
    with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
        conn.execute(change)
    world.round()
    assert sums(world, "ann") == [bts(1)]


# -- 4) replay ----------


@pytest.mark.parametrize("replay", [True, False, 1])
def test_4_it_starts_at_the_stored_block_at_the_present_one_or_at_a_number(world: World, replay: bool | int) -> None:
    """True: from the stored block; False: from now on; a number: from that block."""
    world.take("ann", 100, "three_months")
    missed = world.send("bob", 100, "three_months")
    world.blocks(10)
    with reading(world.engine) as conn:
        stored = transfers.cursor(conn)
    assert stored is not None
    if replay is False:
        assert listener.start_from(world.custodian, None) == world.chain.finalized().number - stored.block
    elif replay is not True:
        assert listener.start_from(world.custodian, FIRST + 5) == 0
    assert listener.listen(world.custodian).transfers == 1
    (one,) = [one for one in world.operations() if one.tx_id == missed]
    assert one.kind == ("skipped" if replay is False else "contract")
    assert [one.name for one in world.contracts()] == (["ann"] if replay is False else ["ann", "bob"])


def test_4_replaying_makes_no_duplicates_in_stakes_or_receipts(world: World) -> None:
    world.take("ann", 100, "three_months")
    world.take("bob", 99, "three_months")
    world.take("ann", 1, "stop")
    world.round()
    world.listen()
    rows, paid, receipts = world.dues(), left(world), told(world, "transfer")
    for block in (FIRST + 1, world.operations()[0].block, world.operations()[-1].block):
        listener.start_from(world.custodian, block)
        world.round()
    assert (world.dues(), left(world), told(world, "transfer")) == (rows, paid, receipts)


# -- 5) nominator memos ----------


def test_5_an_invalid_amount_99_goes_back_less_50(world: World) -> None:
    assert world.take("ann", 99, "three_months").kind == "invalid"
    world.round()
    (back,) = left(world, "ann")
    assert (back.units, back.memo) == (bts(49), "50 BTS fee charged: the amount is none that a contract may have")
    assert world.contracts() == []


def test_5_an_invalid_memo_fail_memo_goes_back_less_50(world: World) -> None:
    assert world.take("ann", 100, "fail_memo").kind == "invalid"
    world.round()
    (back,) = left(world, "ann")
    assert (back.units, back.memo) == (bts(50), "50 BTS fee charged: the memo is none of the known words")


@pytest.mark.parametrize(
    "memo",
    [
        '{"type":"three_months"}',
        "three_months",
        " three_months",
        "three_months ",
        '"three_months"',
        "'three_months'",
        '"th re e_mon ths"',
    ],
)
def test_5_a_valid_amount_and_memo_start_a_stake_and_stop_ends_it(world: World, memo: str) -> None:
    """The documents' kindnesses to silly errors, all of which hold here."""
    assert world.take("ann", 100, memo).kind == "contract"
    world.round()
    found = {(one.type, one.number): one.units for one in world.dues()}
    assert found == {
        ("agreement", 0): bts(1),
        ("principal", 0): bts(100),
        ("penalty", 0): -bts(15),
        ("reward", 1): bts(8),
        ("reward", 2): bts(8),
        ("reward", 3): bts(8),
    }
    (notice,) = left(world, "ann")
    assert "3 month stake contract of 100 BTS" in (notice.memo or "")
    world.take("ann", 1, "stop")
    world.round()
    assert sums(world, "ann") == [bts(1), bts(85)]
    assert_books_whole(world)


def test_5_a_stake_of_the_documents_100000_for_three_months_has_six_rows(world: World) -> None:
    world.take("ann", 100_000, "three_months")
    assert sorted((one.type, one.number, one.units // bts(1)) for one in world.dues()) == sorted(
        [
            ("agreement", 0, 1),
            ("principal", 0, 100_000),
            ("penalty", 0, -15_000),
            *(("reward", number, 8_000) for number in (1, 2, 3)),
        ]
    )


# -- 6) admin memos ----------


@pytest.mark.parametrize(
    ("who", "kind"),
    [("manager", "to_exchange"), ("clerk", "ignored"), ("ann", "invalid")],
    ids=["with LTM", "without LTM", "no manager"],
)
def test_6_bmg_to_bittrex(tmp_path: Path, who: str, kind: str) -> None:
    with with_exchanges(tmp_path, 0, 0, 0) as (world, _):
        memo = json.dumps({"type": "bmg_to_bittrex", "amount": 500, "api": 2})
        assert world.take(who, 100, memo).kind == kind
        world.round()
        world.round()
        sent = [(one.units, one.memo) for one in left(world, "exchange")]
        assert sent == ([(bts(500), "deposit-two")] if who == "manager" else [])
        assert sums(world, "ann") == ([bts(50)] if who == "ann" else [])
        assert sums(world, "clerk") == sums(world, "manager") == []


@pytest.mark.parametrize(
    ("who", "kind"),
    [("manager", "from_exchange"), ("clerk", "ignored"), ("ann", "invalid")],
    ids=["with LTM", "without LTM", "no manager"],
)
def test_6_bittrex_to_bmg(tmp_path: Path, who: str, kind: str) -> None:
    with with_exchanges(tmp_path, 1_000, 1_000, 1_000) as (world, stub):
        memo = json.dumps({"type": "bittrex_to_bmg", "amount": 500, "api": 3})
        assert world.take(who, 100, memo).kind == kind
        world.round()
        world.round()
        asked: list[tuple[str, str, Decimal | int]] = [(one.key, one.address, one.amount) for one in stub.asked]
        assert asked == ([("key-three", "custodian", 505)] if who == "manager" else [])


@pytest.mark.parametrize("who", ["manager", "clerk"], ids=["with LTM", "without LTM"])
@pytest.mark.parametrize("memo", ["loan_to_bmg", '{"type":"loan_to_bmg"}'])
def test_6_loan_to_bmg(world: World, who: str, memo: str) -> None:
    """A loan without LTM was charged there; here it is a loan."""
    assert world.take(who, 1_000, memo).kind == "loan"
    assert world.held("custodian") == bts(101_000)
    world.round()
    assert (world.dues(), left(world), len(told(world, "loan"))) == ([], [], 1)


# -- 7) bittrex cover ----------


@pytest.mark.parametrize(
    ("held", "asked"),
    [
        ((100_000, 0, 0), {"key-one"}),
        ((0, 100_000, 0), {"key-two"}),
        ((0, 0, 100_000), {"key-three"}),
        ((10_000, 10_000, 10_000), {"key-one", "key-two", "key-three"}),
        ((510, 511, 100_000), {"key-two", "key-three"}),
        ((22_000, 5_000, 5_000), {"key-one"}),
    ],
)
def test_7_a_stop_with_an_empty_account_is_covered_by_the_exchange(
    tmp_path: Path, held: tuple[int, ...], asked: set[str]
) -> None:
    with with_exchanges(tmp_path, *held) as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(200), "the account is emptied")
        world.take("ann", 1, "stop")
        for _ in range(5):
            world.round()
        assert {one.key for one in stub.asked} == asked
        assert len(stub.asked) == len(asked)
        assert sums(world, "ann") == [bts(1), bts(21_250)]
        assert [one.kind for one in world.operations() if one.name == "exchange"] == ["arrived"] * len(asked)
        assert_books_whole(world)


def test_7_a_reward_500_above_the_balance_is_covered(tmp_path: Path) -> None:
    """1000 BTS at the exchange, a payment of about 500 BTS more than the account holds."""
    with with_exchanges(tmp_path, 1_000) as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(1_500), "emptied")
        world.days(30.1)
        for _ in range(3):
            world.round()
        assert sums(world, "ann") == [bts(1), bts(2_000)]
        (one,) = stub.asked
        assert 600 < one.amount < 615  # 500, the reserve of 100 and fees


def test_7_what_all_accounts_together_do_not_hold_is_missing_and_said(tmp_path: Path) -> None:
    with with_exchanges(tmp_path, 600, 600, 600) as (world, stub):
        world.take("ann", 25_000, "three_months")
        world.round()
        bitshares.transfer(world.path, "custodian", "dee", world.held("custodian") - bts(200), "emptied")
        world.take("ann", 1, "stop")
        for _ in range(3):
            done = world.round()
        assert done.outlook.missing > bts(15_000)
        assert len(stub.asked) <= 3
        assert sums(world, "ann") == [bts(1)]
        assert overview.liabilities(world.engine, world.now).gross == bts(21_250)
