"""The books of the custodian: every satoshi that came or went is explained, and what is not is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts_world import WHOLE, World
from valtrac.devnet import graphene
from valtrac.domain.chain import SealedMemo, Transfer
from valtrac.errors import ChainUnreachable
from valtrac.services import books
from valtrac.store import contracts, events, operations
from valtrac.store.engine import reading, writing


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def minutes(world: World) -> None:
    """As long as a doubt has to last."""
    for _ in range(6):
        world.blocks(20)
        world.listen()


def alarms(world: World) -> list[str]:
    with reading(world.engine) as conn:
        return [one.msg["warn"] for one in events.search(conn, kind="alert")]


def test_the_first_reckoning_explains_nothing_and_says_so(world: World) -> None:
    found = books.reckon(world.house)
    assert (found.holds, found.since, found.unexplained) == (world.held("custodian"), None, 0)


def test_a_month_of_deposits_payments_and_fees_is_explained_to_the_satoshi(world: World) -> None:
    books.reckon(world.house)
    world.take("ann", 25_000, "three_months")
    world.take("cid", 1_000.5, "nonsense")
    world.pay()
    graphene.transfer(world.path, "custodian", "dee", 77 * WHOLE, "rent")
    world.days(31)
    world.round()
    world.listen()
    found = books.check(world.house)
    assert found.whole, found
    assert found.receipts == 3
    assert found.reckoning is not None
    assert (found.reckoning.unexplained, found.reckoning.holds) == (0, world.held("custodian"))
    assert not alarms(world)


def test_what_moves_without_a_transfer_is_told_once_to_the_satoshi(world: World) -> None:
    books.reckon(world.house)
    graphene.fund(world.path, "custodian", 12_345_678)  # as an executed proposal would: in no block's transactions
    world.take("ann", 25_000, "three_months")
    found = books.check(world.house)
    assert found.whole and found.reckoning is not None and not found.reckoning.sure
    assert "are not explained yet" in found.reckoning.words
    minutes(world)
    found = books.check(world.house)
    assert not found.whole
    assert found.reckoning is not None and found.reckoning.unexplained == 12_345_678
    assert ["123.45678 BTS came that no transfer brought" in words for words in alarms(world)] == [True]
    assert books.check(world.house).whole
    assert len(alarms(world)) == 1


def test_a_transfer_that_waits_in_the_pool_or_can_still_be_undone_is_no_surprise(world: World) -> None:
    books.reckon(world.house)
    graphene.transfer(world.path, "ann", "custodian", 25_000 * WHOLE, "three_months")  # in no block yet
    assert books.reckon(world.house).unexplained == 0
    graphene.fork(world.path, 1, keep=True)
    assert books.reckon(world.house).unexplained == 0
    world.listen()
    assert books.reckon(world.house).unexplained == 0


def test_what_came_in_blocks_that_the_listener_passed_over_is_accounted_for(world: World) -> None:
    from valtrac.services import listener

    books.reckon(world.house)
    world.send("ann", 25_000, "three_months")
    world.blocks(4)
    listener.start_from(world.house, None)
    world.listen()
    found = books.reckon(world.house)
    assert (found.unexplained, found.sure) == (0, True)
    assert world.contracts() == []


def test_while_the_listener_is_behind_or_reads_anew_nothing_is_compared_and_it_says_why(world: World) -> None:
    from valtrac.services import listener

    books.reckon(world.house)
    world.blocks(books.FARTHEST + 10)
    found = books.check(world.house)
    assert (found.reckoning, found.whole) == (None, True)
    assert "blocks behind" in found.why_not
    listener.listen(world.house)
    books.reckon(world.house)
    with writing(world.engine) as conn:
        at = operations.cursor(conn)
        assert at is not None
        operations.set_cursor(conn, operations.Cursor(at.block - 20, ""), expected=at)
    with pytest.raises(ChainUnreachable) as told:
        books.reckon(world.house)
    assert "reads old blocks anew" in told.value.why


def test_a_payment_in_the_books_that_the_chain_has_not_is_told(world: World) -> None:
    world.take("cid", 1_000, "nonsense")
    (due,) = world.dues("pending")
    with writing(world.engine) as conn:
        contracts.move(conn, [due.id], "pending", "processing")
        at = operations.cursor(conn)
        assert at is not None
        contracts.move(conn, [due.id], "processing", "confirmed", tx_id="ab" * 20, block=at.block)
    (odd,) = books.check(world.house).odd
    assert "950.00000 BTS" in odd and "that the chain has not" in odd


def test_a_payment_on_the_chain_that_is_not_in_the_books_is_told(world: World) -> None:
    world.take("cid", 1_000, "nonsense")
    world.pay()
    world.listen()
    assert books.check(world.house).whole
    (paid,) = [one for one in world.operations() if one.direction == "out"]
    again = Transfer(
        paid.block, paid.trx + 1, 0, paid.tx_id, world.house.custodian.id, paid.account, paid.units, "1.3.0", 0,
        SealedMemo("", "", "0", ""),
    )  # fmt: skip
    with writing(world.engine) as conn:
        operations.add(conn, again, at=paid.at, custodian=world.house.custodian.id, name=paid.name, state="handled",
                       kind="ours")  # fmt: skip
    found = books.check(world.house)
    assert any("no payment is booked for it" in words for words in found.odd)
    assert not found.whole


def test_what_a_node_holds_back_in_its_pool_is_a_doubt_and_no_alarm(world: World) -> None:
    books.reckon(world.house)
    graphene.misbehave(world.path, hold_pool=True)
    graphene.transfer(world.path, "ann", "custodian", 40 * WHOLE, "nonsense")
    world.listen()
    found = books.reckon(world.house)
    assert (found.unexplained, found.sure) == (40 * WHOLE, False)
    graphene.misbehave(world.path, hold_pool=False)
    world.listen()
    assert books.reckon(world.house).unexplained == 0
    assert not alarms(world)


def test_a_doubt_of_another_amount_begins_anew(world: World) -> None:
    books.reckon(world.house)
    graphene.fund(world.path, "custodian", 7)
    assert not books.reckon(world.house).sure
    minutes(world)
    graphene.fund(world.path, "custodian", 7)
    assert not books.reckon(world.house).sure
    minutes(world)
    found = books.reckon(world.house)
    assert (found.unexplained, found.sure) == (14, True)


def test_the_job_reckons_by_itself_and_says_what_it_cannot_explain(world: World) -> None:
    def look() -> str:
        return books.look(world.house, world.chain.finalized())

    assert look() == ""
    graphene.fund(world.path, "custodian", 300 * WHOLE)
    assert look() == ""  # two hours have not gone by
    assert not books.reckon(world.house).sure
    assert look() == ""
    minutes(world)
    assert look().startswith("300.00000 BTS came that no transfer brought")
    assert look() == ""
