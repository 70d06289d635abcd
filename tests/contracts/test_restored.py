"""Where the listener begins, and copies of the database brought back: nothing is paid again or passed over."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import (
    Lost,
    assert_books_whole,
    bts,
    copied,
    stakebts_file,
    sums,
)
from valtrac.chains.bitshares.slots import LENGTH_REHEARSAL_S
from valtrac.contracts import dues, import_stakebts, listener
from valtrac.contracts import rulings as owner
from valtrac.contracts.custodian import find_custodian
from valtrac.contracts.model.states import TransferState
from valtrac.contracts.producer import held_accounts
from valtrac.contracts.store import transfers
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares
from valtrac.payments import reconcile
from valtrac.payments.model.states import AttemptState
from valtrac.payments.store import attempts


def paid_since(world: World) -> Path:
    """A copy of the database from just before ann's first reward was paid."""
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    old = copied(world, "backup.sqlite")
    world.pay()
    return old


def test_a_restored_copy_that_begins_with_what_comes_now_pays_nothing_again(world: World) -> None:
    old = paid_since(world)
    world.blocks(40)
    engine = open_engine(old)  # on another machine, where no log of payments is
    custodian = replace(world.custodian, engine=engine, log=world.folder / "elsewhere" / "contract_payments.csv")
    assert listener.start_from(custodian, None) > 40
    with pytest.raises(Refused, match="blocks behind"):
        dues.pay(custodian, world.payer)
    listener.listen(custodian)
    assert dues.pay(custodian, world.payer).paid == 0
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    with reading(engine) as conn:  # known by the number in its memo, and booked as paid
        assert [one.units for one in transfers.listed(conn, TransferState.HANDLED, kind="adopted")] == [bts(2_000)]
        assert transfers.listed(conn, TransferState.UNRULED) == []
    engine.dispose()


def test_a_block_ahead_is_no_way_past_what_left_the_account(world: World) -> None:
    old = paid_since(world)
    world.blocks(40)
    world.send("bob", 25_000, "six_months")
    world.blocks(5)
    engine = open_engine(old)
    custodian = replace(world.custodian, engine=engine, log=world.folder / "elsewhere" / "contract_payments.csv")
    assert listener.start_from(custodian, world.chain.finalized().number) > 40
    listener.listen(custodian)
    assert dues.pay(custodian, world.payer).paid == 0
    with reading(engine) as conn:
        assert [(one.name, one.kind) for one in transfers.listed(conn, TransferState.HANDLED)][-2:] == [
            ("ann", "adopted"),
            ("bob", "skipped"),
        ]
        assert transfers.listed(conn, TransferState.UNRULED) == []
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    engine.dispose()


def test_an_import_is_read_on_from_where_the_program_before_had_stopped(world: World, tmp_path: Path) -> None:
    path, read_to = stakebts_file(world, tmp_path), world.chain.finalized().number
    with sqlite3.connect(path) as db:
        db.execute("UPDATE block SET block_num = ?", (read_to,))
    bitshares.transfer(world.path, "custodian", "ann", bts(2_000), "by the program before, after it had last written")
    world.blocks(40)
    engine = open_engine(tmp_path / "new.sqlite")
    custodian = replace(world.custodian, engine=engine, log=tmp_path / "new.csv")
    find_custodian(engine, world.chain, world.settings)
    found, odd, receipts, last = import_stakebts.read_database(path)
    import_stakebts.apply(
        custodian, import_stakebts.preview(custodian, found, notes=odd, receipts=receipts, read_to=last)
    )
    listener.start_from(custodian, None)
    listener.listen(custodian)
    assert dues.pay(custodian, world.payer).outlook.held
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
    listener.start_from(world.custodian, None)
    world.listen()
    (one,) = world.operations()
    for words in ({}, {"refund": True}, {"memo": "three_months"}):
        with pytest.raises(BadInput):
            owner.read_by_hand(world.custodian, one.id, owner.Word(**words))
    assert world.contracts() == [] and world.dues() == []


def test_what_was_skipped_is_taken_up_in_its_order(world: World) -> None:
    first = bitshares.status(world.path)["head"] + 1
    world.send("ann", 25_000, "three_months")
    world.blocks(3)
    listener.start_from(world.custodian, None)
    world.listen()
    world.take("ann", 1, "stop")
    (deposit,) = [one for one in world.operations() if one.kind == "skipped"]
    with pytest.raises(Refused, match="asked to stop after"):
        owner.read_by_hand(world.custodian, deposit.id, owner.Word())
    listener.start_from(world.custodian, first)  # a replay does not let it run on either
    world.listen()
    assert world.contracts() == []
    (parked,) = world.operations("parked")
    assert parked.id == deposit.id
    owner.read_by_hand(world.custodian, deposit.id, owner.Word(refund=True))
    world.round()
    assert sums(world, "ann") == [bts(25_000)]


def test_a_newer_request_is_not_taken_up_before_an_older_one(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(1)
    world.send("ann", 1, "stop")
    world.blocks(3)
    listener.start_from(world.custodian, None)
    world.listen()
    deposit, stop = world.operations()
    with pytest.raises(Refused, match="older transfer"):
        owner.read_by_hand(world.custodian, stop.id, owner.Word())
    assert owner.read_by_hand(world.custodian, deposit.id, owner.Word()) == "contract"
    assert owner.read_by_hand(world.custodian, stop.id, owner.Word()) == "stop"
    world.round()
    assert bts(21_250) in sums(world, "ann")


def test_the_log_beside_an_older_copy_stops_it_only_until_it_has_read_what_was_paid(world: World) -> None:
    old = paid_since(world)
    world.blocks(3)
    engine = open_engine(old)
    custodian = replace(world.custodian, engine=engine)
    world.send("bob", 777, "nonsense")
    world.blocks(3)
    assert any("blocks behind" in words or "has just left" in words for words in said_by(custodian, world))
    listener.listen(custodian)
    dues.pay(custodian, world.payer, patience_s=200, poll_s=0)
    assert sums(world, "bob") == [bts(727)]
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    engine.dispose()


def said_by(custodian: Any, world: World) -> list[str]:
    """What a round says, or is refused with."""
    try:
        return list(dues.pay(custodian, world.payer, patience_s=200, poll_s=0).words)
    except ValtracError as error:
        return [error.what, error.why, error.fix]


def test_what_came_while_the_listener_was_down_is_written_down_also_when_it_begins_with_now(world: World) -> None:
    world.send("bob", 25_000, "six_months")
    world.blocks(5)
    assert listener.start_from(world.custodian, None) > 0
    world.take("cid", 25_000, "three_months")
    assert [one.name for one in world.contracts()] == ["cid"]
    (skipped,) = [one for one in world.operations() if one.name == "bob"]
    assert (skipped.state, skipped.kind) == ("handled", "skipped")
    assert owner.read_by_hand(world.custodian, skipped.id, owner.Word()) == "contract"
    assert sorted(one.name for one in world.contracts()) == ["bob", "cid"]


def test_what_was_skipped_is_carried_out_by_a_replay_once_it_is_not_skipped_any_more(world: World) -> None:
    block = bitshares.status(world.path)["head"] + 1
    world.set(contracts_skip_blocks=str(block))
    world.take("ann", 25_000, "three_months")
    world.set(contracts_skip_blocks="")
    for _ in range(2):
        listener.start_from(world.custodian, block)
        world.round()
    assert [one.name for one in world.contracts()] == ["ann"]
    assert sums(world, "ann") == [bts(1)]


def test_a_payment_that_a_copy_makes_while_our_transaction_is_lost_is_booked_once_ours_is_dead(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    engine = open_engine(copied(world, "copy.sqlite"))
    with pytest.raises(ValtracError):
        dues.pay(world.custodian, Lost(world.payer), patience_s=1, poll_s=0)
    world.blocks(LENGTH_REHEARSAL_S // 3)  # the copy pays in the next slot, by another transaction
    listener.listen(replace(world.custodian, engine=engine))
    other = replace(world.custodian, engine=engine, log=world.folder / "other" / "log.csv")
    assert dues.pay(other, world.payer, patience_s=200, poll_s=0).paid == 1
    world.listen()
    assert world.operations("unruled")  # while ours may still land
    with reading(world.engine) as conn:
        assert list(held_accounts(conn)) == [world.operations("unruled")[0].account]
    world.pay()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    assert [one.kind for one in world.operations() if one.direction == "out"] == ["ours", "adopted"]
    assert_books_whole(world)
    engine.dispose()


def test_a_transaction_that_was_ruled_dead_and_is_seen_alive_is_booked_and_not_made_again(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    with pytest.raises(ValtracError):
        dues.pay(world.custodian, Lost(world.payer), patience_s=1, poll_s=0)
    with reading(world.engine) as conn:
        (attempt,) = attempts.unresolved(conn, world.custodian.account.id)
    reconcile._book(world.custodian.door(), attempt, AttemptState.DEAD, None, None)  # as a node that lies would have it
    world.payer.broadcast(attempt.raw)
    world.blocks(1)
    with pytest.raises(Refused, match="has just left the account"):
        world.pay()
    world.listen()
    assert [one.kind for one in world.operations() if one.direction == "out"] == ["adopted"]
    world.round()
    assert sums(world, "ann") == [bts(1)]
    assert_books_whole(world)


def test_a_transaction_is_not_sent_again_while_its_payment_is_held(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.pay()
    world.days(31)
    world.listen()
    with pytest.raises(ValtracError):
        dues.pay(world.custodian, Lost(world.payer), patience_s=1, poll_s=0)
    bitshares.transfer(world.path, "custodian", "ann", bts(2_000), "by hand, from another wallet")
    world.listen()
    assert world.operations("unruled")
    done = world.pay()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    assert any("ann waits: transfer" in words for words in done.words)
