"""What cannot be signed for one client is that client's matter: the others are paid, and money goes without words."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from tests.chains.bitshares.lying import Liar
from tests.contracts_world import World
from tests.custody_world import assert_books_whole, bts, left, sums
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.answers import NULL_KEY
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import dues
from valtrac.core.chain import Payment
from valtrac.core.errors import Refused, Unpayable
from valtrac.core.money import decimal_text
from valtrac.devnet import bitshares

OFF_THE_CURVE = bytes([2]) + (5).to_bytes(32, "big")  # 5^3 + 7 is no square: no point has this x


def set_memo_key(world: World, who: str, key: str) -> None:
    with sqlite3.connect(world.path) as db:
        db.execute("UPDATE accounts SET memo = ? WHERE name = ?", (key, who))


def off_the_curve() -> str:
    from valtrac.devnet.bitshares.keys import key_text

    return key_text(OFF_THE_CURVE)


def with_contracts(world: World) -> None:
    """Three clients with a contract each; the notices are due."""
    for who in ("ann", "bob", "cid"):
        world.send(who, 25_000, "three_months")
    world.listen()


@pytest.mark.parametrize("key", ["off the curve", "BTS1111111111111111111111111111111114T1Anm", "BTS", ""])
def test_a_memo_key_that_is_none_costs_a_client_the_words_at_most_and_the_others_nothing(
    world: World, key: str
) -> None:
    ids = [world.chain.named([who])[who].id for who in ("ann", "bob", "cid")]
    set_memo_key(world, "bob", off_the_curve() if key == "off the curve" else key)
    payments = tuple(Payment(id_, bts(1), "hello") for id_ in ids)
    fee = world.chain.estimate_fee(world.custodian.account.id, payments)
    tx = world.payer.sign(payments, nonce=0, period=60)
    world.payer.broadcast(tx.raw)
    world.blocks(5)
    assert [(one.to, one.units, one.memo) for one in left(world)] == [
        ("ann", bts(1), "hello"),
        ("bob", bts(1), None),
        ("cid", bts(1), "hello"),
    ]
    assert sum(op["fee"]["amount"] for _, op in json.loads(tx.raw)["operations"]) == fee


def test_words_are_sealed_for_the_key_that_asked_whatever_the_account_says_by_now(world: World) -> None:
    with_contracts(world)
    set_memo_key(world, "bob", off_the_curve())
    world.round()
    assert {one.to: (one.units, bool(one.memo)) for one in left(world)} == dict.fromkeys(
        ("ann", "bob", "cid"), (bts(1), True)
    )
    world.listen()
    sealed = next(one.sealed for one in world.operations() if one.name == "bob" and one.direction == "out")
    assert sealed is not None
    assert sealed.receiver_key == bitshares.dev_public("bob", "memo")
    assert_books_whole(world)


def test_who_asked_without_a_memo_is_answered_in_the_open(world: World) -> None:
    set_memo_key(world, "bob", off_the_curve())
    world.send("bob", 1_000)
    world.round()
    ((to, units, memo),) = [(one.to, one.units, one.memo) for one in left(world)]
    assert (to, units) == ("bob", bts(950)) and memo is not None and memo.startswith("50 BTS fee charged")
    world.listen()
    sealed = next(one.sealed for one in world.operations() if one.direction == "out")
    assert sealed is not None
    assert sealed.sender_key == sealed.receiver_key == NULL_KEY
    world.lock()
    assert world.chain.read_memo(sealed) == memo
    assert_books_whole(world)


def forget(world: World, who: str) -> Liar:
    """A node on which an account is no more."""
    id_ = world.chain.named([who])[who].id

    def lie(method: str, args: list[Any], answer: Any) -> Any:
        return [None if one and one.get("id") == id_ else one for one in answer] if method == "get_objects" else answer

    liar = Liar(world.path, lie)
    world.chain.close()
    world.chain = connect.open_node([liar.url], network="devnet", timeout_s=10)
    world.unlock()
    world.custodian = world.new_custodian()
    return liar


def test_an_account_that_is_no_more_holds_only_its_own_payment_until_it_is_there_again(world: World) -> None:
    with_contracts(world)
    liar = forget(world, "bob")
    try:
        done = world.round()
        assert (sums(world, "ann"), sums(world, "bob"), sums(world, "cid")) == ([bts(1)], [], [bts(1)])
        assert any("has no account" in words for words in done.words)
        world.send("dee", 25_000, "three_months")
        world.round()
        assert sums(world, "dee") == [bts(1)]
        liar.lie = None
        world.round()
        assert sums(world, "bob") == [bts(1)]
        assert_books_whole(world)
    finally:
        liar.close()


def test_what_nothing_can_be_signed_for_is_handed_to_the_owner_once_his_patience_is_over(world: World) -> None:
    with_contracts(world)
    liar = forget(world, "bob")
    try:
        world.round()
        assert [one.state for one in world.dues(type_="agreement") if one.name == "bob"] == ["processing"]
        world.days(1)
        world.round()
        (late,) = world.dues("delinquent")
        assert (late.name, "has no account" in late.words) == ("bob", True)
        with pytest.raises(Refused, match="cannot be made"):
            dues.pay_delinquent(world.custodian, world.payer, late.id, decimal_text(late.units, 5))
        assert sums(world, "bob") == []
        assert_books_whole(world)
    finally:
        liar.close()


def test_a_fee_can_be_told_for_who_is_not_there_and_signing_says_who_it_is(world: World) -> None:
    gone, ann = "1.2.999999", world.chain.named(["ann"])["ann"].id
    payments = (Payment(ann, 5, "hello"), Payment(gone, 5, "hello"))
    assert world.chain.estimate_fee(world.custodian.account.id, payments) > 0
    with pytest.raises(Unpayable) as error:
        connect.payer(world.chain, "custodian", dev_keys("custodian")).sign(payments, nonce=0, period=60)
    assert error.value.addresses == {gone}
    assert json.dumps(error.value.as_dict())
