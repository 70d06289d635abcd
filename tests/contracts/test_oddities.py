"""Odd turns of an owner, an import or a file: nothing is paid twice, forgotten or kept silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import (
    Lost,
    at_once,
    bts,
    left,
    send_for_another_key,
    stakebts_file,
    sums,
    told,
)
from valtrac.contracts import audit, dues, import_stakebts, listener
from valtrac.contracts import rulings as owner
from valtrac.contracts.delinquents import impatient
from valtrac.contracts.model.contracts import Due
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.devnet import bitshares
from valtrac.payments import payment_log


class NotThatMuch(Lost):
    """The unlocked account at a node that refuses every transaction with a payment of a certain amount."""

    def __init__(self, payer: Any, world: World, units: int) -> None:
        super().__init__(payer)
        self.world, self.units = world, units

    def broadcast(self, raw: bytes) -> None:
        if self.units in {one.units for one in self.world.chain.decode(raw).payments}:
            raise Refused("the node refused the transaction", why="assert failed")
        self.payer.broadcast(raw)


def with_a_delinquent_reward(folder: Path) -> tuple[World, Due]:
    """A world whose cap is below ann's first reward, which is the owner's to pay by now."""
    world = World(folder, CONTRACTS_CAP_PAYMENT="1500")
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(32)
    world.listen()
    impatient(world.custodian, world.chain.finalized())
    (late,) = world.dues("delinquent")
    return world, late


# -- the owner's word ---------------------------------------------------------------------------------------------


def test_a_memo_that_is_read_at_this_moment_is_not_answered_twice(world: World) -> None:
    world.lock()
    waiting = world.take("ann", 25_000, "three_months")
    accounts = world.chain.accounts

    def meanwhile(ids: Any) -> Any:
        world.chain.accounts = accounts  # type: ignore[method-assign]
        world.unlock()
        listener.read_again(world.custodian, world.chain.finalized())
        return accounts(ids)

    world.chain.accounts = meanwhile  # type: ignore[method-assign]
    with pytest.raises(Refused, match="meanwhile"):
        owner.read_by_hand(world.custodian, waiting.id, owner.Word(refund=True))
    assert len(world.contracts()) == 1
    assert [one.type for one in world.dues("pending") if one.type == "refund"] == []


def test_two_windows_say_two_things_about_one_deposit_and_one_counts(world: World) -> None:
    for _ in range(3):
        send_for_another_key(world, "ann", 25_000, "three_months")
        while not world.operations("parked"):
            world.listen()
        (one,) = world.operations("parked")
        acts = [
            lambda number=one.id: owner.read_by_hand(world.custodian, number, owner.Word(refund=True)),
            lambda number=one.id: owner.read_by_hand(world.custodian, number, owner.Word(memo="three_months")),
        ]
        said = at_once(*acts)
        assert sum(isinstance(what, str) for what in said) == 1, said
    refunds = sum(one.type == "refund" for one in world.dues("pending"))
    assert refunds + len(world.contracts()) == 3


def test_all_of_it_means_all_of_it(world: World) -> None:
    send_for_another_key(world, "ann", 123.45678, "six_months")
    while not world.operations("parked"):
        world.listen()
    owner.read_by_hand(world.custodian, world.operations("parked")[0].id, owner.Word(refund=True))
    world.round()
    assert sums(world, "ann") == [12_345_678]


def test_a_transfer_of_another_asset_is_never_taken_for_a_payment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    tx_id, real = bitshares.transfer(world.path, "custodian", "ann", bts(2_000), "x"), world.chain.transfers

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
        owner.rule(world.custodian, one.id, pays=reward.id)
    owner.rule(world.custodian, one.id, words="another asset")
    assert reward.id in [due.id for due in world.dues("pending")]


def test_who_was_paid_by_another_hand_is_not_told_that_it_failed(tmp_path: Path) -> None:
    world, late = with_a_delinquent_reward(tmp_path)
    bitshares.transfer(world.path, "custodian", "ann", bts(2_000), "by hand")
    world.listen()
    owner.rule(world.custodian, world.operations("unruled")[0].id, pays=late.id)
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


def test_a_client_hears_of_a_failure_though_paying_by_hand_was_tried(tmp_path: Path) -> None:
    world, late = with_a_delinquent_reward(tmp_path)
    bad = NotThatMuch(world.payer, world, bts(2_000))
    for _ in range(6):
        with suppress(ValtracError):
            dues.pay_delinquent(world.custodian, bad, late.id, "2000", patience_s=60)
        world.days(0.1)
        world.listen()
        with suppress(ValtracError):
            dues.pay(world.custodian, bad, patience_s=60, poll_s=0)
    assert late.id in [one.id for one in world.dues("delinquent")]
    for _ in range(4):
        world.days(0.1)
        world.round()
    assert [one.units for one in left(world, "ann") if "could not be made" in (one.memo or "")] == [bts(1)]
    world.close()


# -- imports, books, the log --------------------------------------------------------------------------------------


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
    found, odd, receipts, last = import_stakebts.read_database(path)
    look = import_stakebts.preview(world.custodian, found, notes=odd, receipts=receipts, read_to=last)
    assert "it was ended early" in " ".join(look.differences)
    import_stakebts.apply(world.custodian, look)
    assert len(world.dues("delinquent")) == delinquent
    world.days(100)
    world.round()
    assert sums(world, "ann") == [bts(whole) for whole in paid]


def test_money_that_goes_on_moving_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BALANCES_EVERY_MS", -1)
    monkeypatch.setattr(audit, "LASTS", 100)
    audit.check_balance(world.custodian)
    said = []
    for _ in range(5):
        bitshares.fund(world.path, "custodian", bts(1))
        world.blocks(audit.LASTS + 20)
        world.listen()
        said.append(audit.look(world.custodian, world.chain.finalized()))
    assert any("arrived without any recorded transfer" in words for words in said[:3])
    assert told(world, "alert")


def test_a_log_that_was_changed_by_hand_is_whole_again_at_the_next_look(world: World) -> None:
    for who in ("ann", "bob", "cid"):
        world.take(who, 777, "nonsense")
        world.round()
    log = world.custodian.log
    assert log is not None
    whole = log.read_bytes().splitlines(keepends=True)
    assert payment_log.sync(world.custodian.door(), log) == 0
    log.write_bytes(b"".join([whole[0], whole[1], whole[1], whole[3]]))
    assert payment_log.sync(world.custodian.door(), log) == 1
    assert whole[2] in log.read_bytes().splitlines(keepends=True)
