"""What contracts owe: rows, times and amounts; books, lists and words."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest

from tests.contracts_world import World
from tests.custody_world import assert_books_whole, begun, bts, left, sums
from valtrac.contracts import overview
from valtrac.contracts.model.contracts import WHOLE
from valtrac.database.engine import reading
from valtrac.payments.store import ledger

MONTH = timedelta(days=30)


@pytest.mark.parametrize(("word", "months"), [("three_months", 3), ("six_months", 6), ("twelve_months", 12)])
@pytest.mark.parametrize("whole", [25_000, 100_000])
def test_a_contract_has_three_rows_and_one_for_each_month(world: World, word: str, months: int, whole: int) -> None:
    operation = world.take("ann", whole, word)
    found = sorted(world.dues(), key=lambda one: one.id)
    assert [(one.type, one.number, one.units, one.due_at - operation.at) for one in found] == [
        ("agreement", 0, bts(1), timedelta(0)),
        ("principal", 0, bts(whole), months * MONTH),
        ("penalty", 0, -bts(whole * 15 // 100), months * MONTH),
        *(("reward", number, bts(whole * 8 // 100), number * MONTH) for number in range(1, months + 1)),
    ]
    assert {one.state for one in found} == {"pending"}


@pytest.mark.parametrize(("reward", "penalty", "first", "cut"), [("8.33", "14.99", 8, 14), ("0.99", "0.50", 0, 0)])
def test_rewards_and_penalties_are_rounded_down_to_whole_bts(
    world: World, reward: str, penalty: str, first: int, cut: int
) -> None:
    world.set(contracts_reward=f"{reward}%", contracts_penalty=f"{penalty}%")
    world.take("ann", 100.99999, "three_months")
    by_type = {one.type: one.units for one in world.dues()}
    assert (by_type["principal"], by_type["reward"], by_type["penalty"]) == (bts(100), bts(first), -bts(cut))


@pytest.mark.parametrize(("word", "months"), [("three_months", 3), ("six_months", 6), ("twelve_months", 12)])
def test_a_whole_contract_pays_each_month_and_the_principal_at_its_end_and_no_more(
    world: World, word: str, months: int
) -> None:
    operation = world.take("ann", 25_000, word)
    world.round()
    for month in range(1, months + 1):
        world.days((operation.at + month * MONTH - world.now).total_seconds() / 86_400 - 0.01)
        assert world.round().paid == 0
        world.days(0.02)
        assert world.round().paid == (1 if month < months else 2)
    assert sorted(sums(world, "ann")) == sorted([bts(1), *[bts(2_000)] * months, bts(25_000)])
    (standing,) = overview.listed(world.engine)
    assert (standing.state, standing.paid, standing.open) == ("completed", bts(25_000 + 2_000 * months), 0)
    assert [one.state for one in world.dues(type_="penalty")] == ["aborted"]
    world.days(400)
    assert world.round().paid == 0
    assert_books_whole(world)


def test_a_stop_pays_what_fell_due_before_it_and_nothing_after(world: World) -> None:
    begun(world, word="six_months")
    world.days(61)
    world.take("ann", 7, "stop")
    world.round()
    assert sorted(sums(world, "ann")) == [bts(1), bts(2_000), bts(2_000), bts(21_250)]
    world.days(400)
    assert world.round().paid == 0
    assert_books_whole(world)


def test_a_stop_after_the_term_does_not_cost_the_penalty(world: World) -> None:
    begun(world)
    world.days(91)
    world.take("ann", 1, "stop")
    world.round()
    assert sorted(sums(world, "ann")) == [bts(1), *[bts(2_000)] * 3, bts(25_000)]


def test_ledger_receipts_and_list_agree_with_the_chain(world: World) -> None:
    for who in ("ann", "bob"):
        begun(world, who)
    world.days(31)
    world.take("cid", 1_000, "nonsense")
    world.round()
    world.take("bob", 1, "stop")
    world.round()
    assert_books_whole(world)
    with (world.folder / "logs" / "contract_payments.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    listed = sorted((row["Username"], row["Amount Paid"], row["Transaction"], row["Status"]) for row in rows)
    on_chain = sorted(
        (one.to, f"{one.units // WHOLE}.{one.units % WHOLE:05d}", one.tx_id, "paid") for one in left(world)
    )
    assert listed == on_chain
    with reading(world.engine) as conn:
        receipts = ledger.receipts(conn)
    assert len(receipts) == len(rows) == 6
    assert len({row["Receipt"] for row in rows}) == 6


def test_liabilities_count_what_falls_due_by_day_week_and_month(world: World) -> None:
    begun(world)
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.month, found.week, found.day, found.clients) == (bts(31_000), bts(2_000), 0, 0, 1)
    world.days(24)
    found = overview.liabilities(world.engine, world.now)
    assert (found.month, found.week, found.day, found.due_48h) == (bts(2_000), bts(2_000), 0, 0)
    world.days(5)
    found = overview.liabilities(world.engine, world.now)
    assert (found.day, found.due_48h, found.past_due) == (bts(2_000), bts(2_000), 0)
    world.days(1)
    world.round()
    found = overview.liabilities(world.engine, world.now)
    assert (found.gross, found.processed_48h, found.day) == (bts(29_000), bts(2_000), 0)


def test_a_payment_explains_itself_from_request_to_receipt(world: World) -> None:
    operation = world.take("ann", 25_000, "three_months")
    world.days(31)
    world.round()
    (reward,) = [one for one in world.dues("confirmed") if one.type == "reward"]
    told_ = overview.explain(world.engine, reward.id)
    (paid,) = [one for one in left(world, "ann") if one.units == bts(2_000)]
    assert (told_["tx"], told_["block"], told_["amount"], told_["memo"]) == (
        paid.tx_id,
        paid.block,
        "2000.00000",
        paid.memo,
    )
    assert (told_["contract"]["key"], told_["contract"]["reward_bps"]) == (operation.key, 800)
    assert [one["state"] for one in told_["transactions"]] == ["landed"]
    assert told_["receipt"]
