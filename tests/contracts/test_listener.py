"""The listener of contracts: every irreversible block once, whatever happens to node, wallet, process or database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import FIRST, at_once, bts, left, send_for_another_key, sums, told
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import listener, overview
from valtrac.contracts import rulings as owner
from valtrac.contracts.custodian import find_custodian
from valtrac.contracts.store import audit_events
from valtrac.contracts.store import transfers as operations
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.database.engine import reading, writing
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def cursor(world: World) -> operations.Cursor:
    with reading(world.engine) as conn:
        found = operations.cursor(conn)
    assert found is not None
    return found


def begun(world: World, who: str = "ann", whole: int = 25_000, word: str = "three_months") -> None:
    assert world.take(who, whole, word).kind == "contract"
    world.round()


def other_house(world: World) -> tuple[Any, connect.BitSharesChain]:
    """Another process: an engine, a node and keys of its own over the same files."""
    chain = connect.open_devnet(world.path, timeout_s=10)
    chain.keys = dev_keys("custodian")
    return replace(world.custodian, engine=open_engine(world.engine.url.render_as_string(False)), chain=chain), chain


# -- where it begins, where it goes on ------------------------------------------------------------------------


def test_the_first_start_begins_at_the_newest_irreversible_block(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        head = world.chain.finalized()
        assert cursor(world) == operations.Cursor(head.number, head.hash)
        with reading(world.engine) as conn:
            assert operations.cursor(conn, operations.BASELINE) == cursor(world)
    finally:
        world.close()


def test_it_goes_on_where_it_stopped_with_another_process(world: World) -> None:
    begun(world)
    at = cursor(world)
    world.send("bob", 50_000, "six_months")
    world.blocks(400)
    custodian, chain = other_house(world)
    done = listener.listen(custodian)
    assert (done.transfers, done.behind) == (2, 0)  # the notice to ann, which left, too
    assert cursor(world).block > at.block + 390
    assert [one.name for one in world.contracts()] == ["ann", "bob"]
    chain.close()
    custodian.engine.dispose()


def test_reading_in_small_steps_finds_the_same(world: World) -> None:
    for who in ("ann", "bob", "cid"):
        world.send(who, 25_000, "three_months")
        world.blocks(2)
    world.blocks(3)
    found = 0
    while (done := listener.listen(world.custodian, most=1)).behind:
        found += done.transfers
    assert found + done.transfers == 3
    assert len(world.contracts()) == 3
    assert cursor(world).block == world.chain.finalized().number


def test_many_transfers_in_many_chunks_are_each_dealt_with_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "CHUNK_TRANSFERS", 2)
    monkeypatch.setattr(listener, "CHUNK_BLOCKS", 3)
    for turn in range(6):
        for who in ("ann", "bob"):
            bitshares.transfer(world.path, who, "custodian", bts(100), "three_months")
        world.blocks(1 + turn % 3)
    assert world.listen().transfers == 12
    assert len(world.contracts()) == 12
    listener.start_from(world.custodian, FIRST + 1)
    assert world.listen().transfers == 0


def test_effects_and_cursor_are_one_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(3)
    at = cursor(world)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("the event cannot be written")

        patch.setattr(audit_events, "add", broken)
        listener.listen(world.custodian)
    assert (cursor(world), world.operations(), world.contracts()) == (at, [], [])
    listener.listen(world.custodian)
    assert len(world.contracts()) == 1


@pytest.mark.parametrize("block", [0, -1, 10**9])
def test_a_block_that_is_not_there_is_no_place_to_begin(world: World, block: int) -> None:
    with pytest.raises(BadInput, match="not there"):
        listener.start_from(world.custodian, block)


def test_beginning_from_now_on_leaves_out_what_came_before(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(5)
    listener.start_from(world.custodian, None)
    world.take("bob", 25_000, "three_months")
    assert [one.name for one in world.contracts()] == ["bob"]
    listener.start_from(world.custodian, FIRST + 1)
    world.listen()
    assert [one.name for one in world.contracts()] == ["ann", "bob"]


# -- two listeners ------------------------------------------------------------------------------------------------


def test_two_listeners_at_the_same_time_do_nothing_twice(world: World) -> None:
    houses = [other_house(world) for _ in range(2)]
    for turn in range(6):
        world.send("ann", 100, "three_months")
        world.send("bob", 99 + turn, "hello")
        world.blocks(3)
        for one in at_once(*(lambda custodian=custodian: listener.listen(custodian) for custodian, _ in houses)):
            assert isinstance(one, (listener.Progress, Refused))
    world.listen()
    world.round()
    assert len(world.contracts()) == 6
    assert len(sums(world, "bob")) == 6
    assert len(world.operations()) == 12 + len([one for one in world.operations() if one.direction == "out"])
    for custodian, chain in houses:
        chain.close()
        custodian.engine.dispose()


def test_a_listener_with_a_stale_cursor_does_nothing_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.send("ann", 25_000, "three_months")
    world.send("bob", 99, "hello")
    world.blocks(3)
    custodian, chain = other_house(world)
    transfers = world.chain.transfers

    def meanwhile(*args: Any) -> Any:
        listener.listen(custodian)
        return transfers(*args)

    monkeypatch.setattr(world.chain, "transfers", meanwhile)
    with pytest.raises(Refused, match="another listener"):
        listener.listen(world.custodian)
    monkeypatch.undo()
    world.round()
    world.round()
    assert (len(world.contracts()), sums(world, "ann"), sums(world, "bob")) == (1, [bts(1)], [bts(49)])
    chain.close()
    custodian.engine.dispose()


# -- memos that wait ----------------------------------------------------------------------------------------------


def test_while_it_is_locked_memos_wait_and_nothing_is_charged_or_paid_to_their_senders(world: World) -> None:
    begun(world)
    world.days(31)
    world.lock()
    for _ in range(10):
        operation = world.take("ann", 1, "stop")
        assert (operation.state, operation.memo, operation.tries) == ("waiting", None, 0)
    world.unlock()
    keys, world.chain.keys = world.chain.keys, None
    payer = connect.payer(world.chain, "custodian", keys)
    from valtrac.contracts import dues

    done = dues.pay(world.custodian, payer, patience_s=200, poll_s=0.0)
    assert (done.paid, [why for _, why in done.outlook.held]) == (
        0,
        [f"the memo of its transfer {operation.key} is not read yet"],
    )
    assert sums(world, "ann") == [bts(1)]


def test_locked_memos_are_handled_in_order_after_unlocking_with_the_time_of_their_block(world: World) -> None:
    world.lock()
    first = world.take("ann", 25_000, "three_months")
    world.days(2)
    second = world.take("ann", 1, "stop")
    third = world.take("ann", 50_000, "six_months")
    world.days(1)
    assert {one.state for one in (first, second, third)} == {"waiting"}
    world.unlock()
    world.listen()
    standing = overview.listed(world.engine)
    assert [(one.contract.start_at, one.state) for one in standing] == [(first.at, "ended"), (third.at, "open")]
    world.round()
    assert sorted(sums(world, "ann")) == [bts(1), bts(1), bts(21_250)]


def test_a_stop_that_comes_after_unlocking_is_not_read_before_a_contract_that_waited(world: World) -> None:
    world.lock()
    world.take("ann", 25_000, "three_months")
    world.unlock()
    world.send("ann", 1, "stop")
    world.listen()
    assert [one.state for one in overview.listed(world.engine)] == ["ended"]
    assert [one.kind for one in world.operations()] == ["contract", "stop"]
    world.round()
    assert bts(21_250) in sums(world, "ann")


def test_a_stop_waits_while_an_older_memo_of_the_same_account_does(world: World) -> None:
    """Whoever cannot read the first word of a client does not act on the second."""
    send_for_another_key(world, "ann", 25_000, "three_months")
    world.send("ann", 1, "stop")
    world.send("bob", 25_000, "three_months")
    world.listen()
    assert [(one.name, one.state) for one in world.operations()] == [
        ("ann", "waiting"),
        ("ann", "waiting"),
        ("bob", "handled"),
    ]
    for _ in range(4):
        world.listen()
    assert [one.state for one in world.operations()] == ["parked", "handled", "handled"]


def test_a_memo_for_another_key_is_parked_after_some_tries_and_never_charged(world: World) -> None:
    send_for_another_key(world, "ann", 25_000, "three_months")
    seen = [world.listen() and world.operations()[0].state for _ in range(4)]
    assert seen[0] == "waiting"
    assert seen[-1] == "parked"
    world.round()
    assert (world.dues(), left(world)) == ([], [])
    assert "no key of ours opens" in told(world, "alert")[0]["warn"]
    (parked,) = world.operations("parked")
    assert owner.read_by_hand(world.custodian, parked.id, owner.Word(memo="three_months")) == "contract"
    assert world.contracts()[0].start_at == parked.at
    with pytest.raises(BadInput, match="handled"):
        owner.read_by_hand(world.custodian, parked.id, owner.Word(memo="three_months"))
    assert len(world.contracts()) == 1


@pytest.mark.parametrize("twice", [False, True])
def test_a_parked_transfer_goes_back_whole_and_once(world: World, twice: bool) -> None:
    send_for_another_key(world, "ann", 25_000, "three_months")
    for _ in range(4):
        world.listen()
    (parked,) = world.operations("parked")
    acts = [lambda: owner.read_by_hand(world.custodian, parked.id, owner.Word(refund=True))] * (2 if twice else 1)
    at_once(*acts)
    world.round()
    world.round()
    assert sums(world, "ann") == [bts(25_000)]


# -- a node that fails, or tells something else -----------------------------------------------------------------------


def test_a_node_that_is_down_changes_nothing_and_it_goes_on_when_it_is_back(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    world.blocks(3)
    at = cursor(world)
    bitshares.misbehave(world.path, down=True)
    with pytest.raises(ChainUnreachable):
        listener.listen(world.custodian)
    assert (cursor(world), world.operations()) == (at, [])
    bitshares.misbehave(world.path, down=False)
    listener.listen(world.custodian)
    assert len(world.contracts()) == 1


@pytest.mark.parametrize("fault", ["down", "garbage", "error", "wrong_id"])
def test_a_node_that_fails_now_and_then_never_makes_it_skip_or_repeat(world: World, fault: str) -> None:
    for who in ("ann", "bob", "cid"):
        world.send(who, 25_000, "three_months")
        world.send(who, 1, "stop")
        world.blocks(3)
        bitshares.misbehave(world.path, **{fault: {"get_block": 2}})
        for _ in range(4):
            try:
                listener.listen(world.custodian)
                break
            except ChainUnreachable:
                continue
    bitshares.clear(world.path)
    world.round()
    assert [one.state for one in overview.listed(world.engine)] == ["ended"] * 3
    assert [one.kind for one in world.operations() if one.direction == "in"] == ["contract", "stop"] * 3


@pytest.mark.parametrize("kept", [True, False])
def test_a_fork_above_the_irreversible_block_is_never_seen(world: World, kept: bool) -> None:
    world.send("ann", 25_000, "three_months")
    listener.listen(world.custodian)
    assert world.operations() == []  # it is in a block, which may still go
    bitshares.fork(world.path, 1, keep=kept)
    world.listen()
    world.listen()
    assert len(world.contracts()) == int(kept)


def test_a_node_with_another_history_is_refused(world: World) -> None:
    at = cursor(world)
    with writing(world.engine) as conn:
        assert operations.set_cursor(conn, operations.Cursor(at.block, "ab" * 20), expected=at)
    world.send("ann", 25_000, "three_months")
    world.blocks(3)
    with pytest.raises(ChainUnreachable, match="does not follow"):
        listener.listen(world.custodian)
    assert world.operations() == []


def test_a_node_that_is_behind_what_was_read_makes_nothing_happen(world: World) -> None:
    begun(world)
    at = cursor(world)
    bitshares.misbehave(world.path, behind=15)  # more than the payment took
    done = listener.listen(world.custodian)
    assert (done.transfers, cursor(world)) == (0, at)


# -- what else touches the account ------------------------------------------------------------------------------------


def test_other_assets_are_written_down_and_ask_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    transfers = world.chain.transfers

    def in_another_asset(*args: Any) -> Iterator[Any]:
        for block in transfers(*args):
            yield replace(block, transfers=tuple(replace(one, asset_id="1.3.121") for one in block.transfers))

    monkeypatch.setattr(world.chain, "transfers", in_another_asset)
    operation = world.take("ann", 25_000, "three_months")
    assert (operation.state, operation.kind, operation.asset_id) == ("handled", "other_asset", "1.3.121")
    monkeypatch.undo()
    world.round()
    assert (world.contracts(), world.dues(), left(world)) == ([], [], [])
    assert told(world, "transfer")[0]["amount"] == "2500000000 units of 1.3.121"


def test_a_foreign_payment_holds_what_is_paid_to_that_account_until_the_owner_has_ruled(world: World) -> None:
    begun(world)
    begun(world, "bob")
    world.days(31)
    bitshares.transfer(world.path, "custodian", "ann", bts(2_000), "by hand")
    world.blocks(1)
    done = world.round()
    (one,) = world.operations("unruled")
    assert (one.name, one.kind, one.direction) == ("ann", "foreign", "out")
    assert [why for _, why in done.outlook.held] == [
        f"transfer {one.key} to it is not in the journal: run.py contracts waiting"
    ]
    assert (sums(world, "ann"), sums(world, "bob")) == ([bts(1), bts(2_000)], [bts(1), bts(2_000)])
    reward = owner.matching(world.engine, one)[0]
    assert (reward.type, reward.number) == ("reward", 1)
    owner.rule(world.custodian, one.id, pays=reward.id)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(2_000)]
    assert [(due.state, due.tx_id) for due in world.dues() if due.id == reward.id] == [("confirmed", one.tx_id)]
    from valtrac.payments.accounts import unbalanced

    assert unbalanced(world.engine) == []


def test_calling_it_foreign_needs_words_where_that_client_is_owed_something(world: World) -> None:
    begun(world)
    bitshares.transfer(world.path, "custodian", "ann", bts(77), "rent")
    bitshares.transfer(world.path, "custodian", "dee", bts(77), "rent")
    world.blocks(1)
    world.listen()
    ann, dee = world.operations("unruled")
    with pytest.raises(Refused, match="who is owed something"):
        owner.rule(world.custodian, ann.id)
    with pytest.raises(BadInput, match="the transfer was 77"):
        owner.rule(world.custodian, ann.id, pays=world.dues(type_="reward")[0].id)
    assert owner.rule(world.custodian, ann.id, words="rent of May").words == "rent of May"
    assert owner.rule(world.custodian, dee.id).kind == "foreign"
    with pytest.raises(BadInput, match="handled"):
        owner.rule(world.custodian, dee.id)
    world.days(31)
    world.round()
    assert sums(world, "ann") == [bts(1), bts(77), bts(2_000)]


def test_what_left_before_the_block_that_is_begun_with_is_not_asked_about(world: World, tmp_path: Path) -> None:
    bitshares.transfer(world.path, "custodian", "dee", bts(7), "long ago")
    world.blocks(4)
    engine = open_engine(tmp_path / "new.sqlite")
    custodian = replace(world.custodian, engine=engine)
    find_custodian(engine, world.chain, world.settings)
    listener.listen(custodian)  # the first start of this database
    began = listener.start_from(custodian, world.chain.finalized().number)
    bitshares.transfer(world.path, "custodian", "dee", bts(8), "since then")
    world.blocks(4)
    listener.listen(custodian)
    with reading(engine) as conn:
        found = [(one.units, one.state, one.kind) for one in operations.listed(conn)]
    assert began == 0  # nothing is passed over
    assert found == [(bts(8), "unruled", "foreign")]
    listener.start_from(custodian, FIRST + 1)  # what is read anew is answered for: it may have been paid by then
    listener.listen(custodian)
    with reading(engine) as conn:
        found = [(one.units, one.state) for one in operations.listed(conn)]
    assert found == [(bts(7), "unruled"), (bts(8), "unruled")]
    assert owner.rule_before(custodian, world.chain.finalized().number, "paid by hand, long ago") == 2
    with reading(engine) as conn:
        assert operations.listed(conn, "unruled") == []
    engine.dispose()


def test_every_operation_of_a_transaction_counts_by_itself(world: World) -> None:
    client = bitshares.Client(world.path)
    client.transfers(
        [
            ("ann", "custodian", bts(25_000), "three_months"),
            ("ann", "bob", bts(5), "custodian"),
            ("ann", "custodian", bts(50_000), "six_months"),
            ("bob", "custodian", bts(99), "hello"),
            ("ann", "custodian", bts(1), "stop"),
        ]
    )
    client.foreign("ann", "custodian", bts(300))
    world.blocks(1)
    world.listen()
    found = world.operations()
    assert [(one.trx, one.op, one.kind) for one in found] == [
        (0, 0, "contract"),
        (0, 2, "contract"),
        (0, 3, "invalid"),
        (0, 4, "stop"),
        (1, 1, "invalid"),
    ]
    world.round()
    assert sorted(sums(world, "ann")) == [bts(1), bts(1), bts(250), bts(63_750)]
    assert sums(world, "bob") == [bts(49)]


def test_two_deposits_in_one_transaction_are_two_contracts(world: World) -> None:
    bitshares.Client(world.path).transfers([("ann", "custodian", bts(25_000), "three_months")] * 2)
    world.blocks(1)
    world.listen()
    assert [one.op for one in world.contracts()] == [0, 1]
    assert len(world.dues()) == 12
