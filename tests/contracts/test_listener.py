"""The listener of contracts: every irreversible block once, whatever happens to node, process or database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contracts_world import World
from tests.custody_world import FIRST, at_once, begun, bts, sums
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import listener, overview
from valtrac.contracts.store import audit_events
from valtrac.contracts.store import transfers as operations
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.database.engine import reading, writing
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares


def cursor(world: World) -> operations.Cursor:
    with reading(world.engine) as conn:
        found = operations.cursor(conn)
    assert found is not None
    return found


def other_house(world: World) -> tuple[Any, connect.BitSharesChain]:
    """Another process: an engine, a node and keys of its own over the same files."""
    chain = connect.open_devnet(world.path, timeout_s=10)
    chain.keys = dev_keys("custodian")
    return replace(world.custodian, engine=open_engine(world.engine.url.render_as_string(False)), chain=chain), chain


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
