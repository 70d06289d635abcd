"""The trail is found by what its events say, and by the memos and operations of the transfers that they are about."""

from __future__ import annotations

import pytest

from tests.contracts_world import World
from tests.custody_world import begun
from valtrac.contracts import searching
from valtrac.contracts.store import audit_events
from valtrac.database.engine import writing
from valtrac.devnet import bitshares


@pytest.fixture
def told(world: World) -> World:
    """A contract, and a deposit with a memo that asks for nothing."""
    begun(world)
    world.take("bob", 1_000, 'grüß 100%_"Gott"')
    world.round()
    return world


def kinds(world: World, words: str, kind: str = "") -> list[tuple[str, str]]:
    found = searching.search(world.engine, words=words, kind=kind)
    return [(each.event.kind, each.event.name) for each in found]


@pytest.mark.parametrize("words", ["three_months", "THREE_MONTHS"])
def test_a_memo_finds_what_came_of_it(told: World, words: str) -> None:
    assert kinds(told, words) == [("stake_start", "ann"), ("transfer", "ann")]
    assert kinds(told, words, kind="stake_start") == [("stake_start", "ann")]


@pytest.mark.parametrize("words", ["grüß", '"Gott"', "100%_"])
def test_any_letter_of_a_memo_is_looked_for_as_it_is(told: World, words: str) -> None:
    assert kinds(told, words) == [("refund", "bob"), ("transfer", "bob")]
    assert kinds(told, "1000_") == []


def test_letters_that_json_writes_otherwise_are_found_in_the_particulars_too(world: World) -> None:
    with writing(world.engine) as conn:
        audit_events.add(conn, "alert", {"warn": 'a "größer" one'}, name="bob")
    assert kinds(world, "größer") == kinds(world, '"größer"') == [("alert", "bob")]


def test_an_operation_is_found_by_transaction_account_and_place_and_told_whole(told: World) -> None:
    (deposit,) = [each for each in told.operations() if each.name == "ann" and each.direction == "in"]
    for words in (deposit.tx_id, deposit.key):
        found = searching.search(told.engine, words=words)
        assert [each.event.kind for each in found][-2:] == ["stake_start", "transfer"]
    found = searching.search(told.engine, words=deposit.account)
    assert {each.transfer.key for each in found if each.transfer} >= {deposit.key}
    sealed = deposit.sealed
    assert sealed is not None
    (_, transfer) = searching.search(told.engine, words=sealed.message[:40])
    assert transfer.transfer == deposit


def test_the_newest_are_shown_where_nothing_is_looked_for(told: World) -> None:
    newest = searching.search(told.engine, limit=3)
    ids = [each.event.id for each in newest]
    assert len(ids) == 3 and ids == sorted(ids, reverse=True)
    assert kinds(told, "nothing holds this") == []


def test_two_transfers_of_one_block_are_not_taken_for_each_other(world: World) -> None:
    for who, memo in (("ann", "three_months"), ("bob", "six_months")):
        bitshares.transfer(world.path, who, "custodian", 25_000 * 100_000, memo)
    bitshares.produce(world.path, 1)
    world.listen()
    assert kinds(world, "six_months") == [("stake_start", "bob"), ("transfer", "bob")]
