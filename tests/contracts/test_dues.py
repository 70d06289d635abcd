"""What contracts owe: rows and times, caps, order, a bad node, a refused payment; each is paid exactly once."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

import tests.contracts_world
from tests import databases
from tests.contracts_world import World
from tests.custody_world import Refusing, assert_books_whole, at_once, bts, left, sums, told
from valtrac.contracts import dues, overview
from valtrac.contracts.model.contracts import WHOLE
from valtrac.contracts.model.states import DueState
from valtrac.contracts.store import tables as t
from valtrac.core.errors import Refused, ValtracError
from valtrac.database.engine import reading, writing
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares
from valtrac.payments.store import attempts, ledger

MONTH = timedelta(days=30)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def begun(world: World, who: str = "ann", whole: int = 25_000, word: str = "three_months") -> None:
    assert world.take(who, whole, word).kind == "contract"
    world.round()


# -- rows, times and amounts ------------------------------------------------------------------------------------


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


# -- caps, reserve, order -----------------------------------------------------------------------------------------


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


# -- a bad node: paid once ------------------------------------------------------------------------------------------


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


# -- delinquent ones ------------------------------------------------------------------------------------------------


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


# -- the database's own guard -----------------------------------------------------------------------------------------


LEGAL = {tuple(arc.split(">")) for arc in DueState.arcs()}
STATES = sorted({state for arc in LEGAL for state in arc})
ILLEGAL = [(a, b) for a in STATES for b in STATES if a != b and (a, b) not in LEGAL]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_database_refuses_every_step_that_a_payment_may_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    url = databases.fresh(kind, tmp_path)
    monkeypatch.setattr(tests.contracts_world, "open_engine", lambda _: open_engine(url))
    world = World(tmp_path)
    try:
        begun(world)
        world.days(31)
        world.round()
        assert sums(world, "ann") == [bts(1), bts(2_000)]
        with reading(world.engine) as conn:
            row = dict(conn.execute(sa.select(t.dues).where(t.dues.c.type == "principal")).first()._mapping)
        for place, (before, after) in enumerate(ILLEGAL):
            made = {**row, "number": 100 + place, "state": before, "line_id": None}
            del made["id"]
            with writing(world.engine) as conn:
                number = conn.execute(t.dues.insert().values(made).returning(t.dues.c.id)).scalar_one()
            with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
                conn.execute(t.dues.update().where(t.dues.c.id == number).values(state=after))
        for values in ({"units": 1}, {"due_at": world.now}, {"account": "1.2.0"}, {"memo": "x"}):
            with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
                conn.execute(t.dues.update().values(values))
        for table in (t.dues, t.operations, t.contracts, t.events, t.moves, t.cursors):
            with reading(world.engine) as conn:
                filled = conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            if filled:
                with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
                    conn.execute(table.delete())
        with pytest.raises(sa.exc.DBAPIError), writing(world.engine) as conn:
            conn.execute(t.events.update().values(msg="{}"))
    finally:
        world.close()


# -- books, lists and words -------------------------------------------------------------------------------------------


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
