"""Snapshots: whole or not at all, each once, in few bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import fresh
from tests.payout_world import HOTKEY, TAO, World, address
from valtrac.chains.bittensor import connect
from valtrac.core.chain import BlockView, Delegate, Head, SubnetStake
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.database import engine as engines
from valtrac.database import opening
from valtrac.devnet import bittensor as devnet
from valtrac.ports import StakeSource
from valtrac.snapshots import snapshots
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored
from valtrac.snapshots.store.packing import column, pack, pack_ids, steps, unpack, unpack_ids, walked

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    opened = opening.open_engine(fresh(request.param, tmp_path))
    yield opened
    opened.dispose()


def test_a_snapshot_holds_every_nominator_and_the_owner_apart(world: World) -> None:
    devnet.advance(world.node, 10)
    ((snapshot, new),) = snapshots.take(world.engine, world.app.chain, HOTKEY).stored
    assert new
    assert snapshot.stakes == {address(n): n * TAO for n in range(1, 8)}
    assert snapshot.owner == connect.dev_address("//Owner")
    assert snapshot.owner_stake == 100 * TAO
    assert snapshot.verified
    assert snapshot.block == world.app.chain.finalized().number


def test_a_block_is_recorded_once_however_often_it_is_read(world: World) -> None:
    devnet.advance(world.node, 10)
    head = world.app.chain.finalized()
    assert [new for _, new in snapshots.take(world.engine, world.app.chain, HOTKEY, at=head).stored] == [True]
    assert [new for _, new in snapshots.take(world.engine, world.app.chain, HOTKEY, at=head).stored] == [False]


def test_a_past_block_reads_as_it_was(world: World) -> None:
    devnet.advance(world.node, 10)
    early = world.app.chain.finalized()
    before = snapshots.take(world.engine, world.app.chain, HOTKEY).stored[0][0]
    devnet.advance(world.node, 200)
    later = snapshots.take(world.engine, world.app.chain, HOTKEY).stored[0][0]
    assert later.others_stake > before.others_stake
    delegate = world.app.chain.delegate(HOTKEY, early)
    assert delegate is not None
    assert {a: u for a, u in delegate.subnets[0].stakes.items() if a != delegate.owner} == before.stakes


class Lying:
    """A node whose delegate answer is changed on its way."""

    def __init__(self, chain: StakeSource, change: Callable[[Delegate], Delegate]) -> None:
        self._chain, self._change = chain, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def delegate(self, hotkey: str, at: Head) -> Delegate:
        delegate = self._chain.delegate(hotkey, at)
        assert delegate is not None
        return self._change(delegate)


def test_stakes_that_do_not_sum_to_the_total_are_refused_and_nothing_is_stored(world: World) -> None:
    def forgetful(delegate: Delegate) -> Delegate:
        subnet = delegate.subnets[0]
        left = {a: u for a, u in subnet.stakes.items() if a != address(3)}
        return replace(delegate, subnets=(SubnetStake(0, left, subnet.total_units, subnet.price_rao),))

    with pytest.raises(ChainUnreachable, match="do not add up"):
        snapshots.take(world.engine, Lying(world.app.chain, forgetful), HOTKEY)
    with engines.reading(world.engine) as conn:
        assert stored.hotkeys(conn) == []


def delegate_with(*subnets: SubnetStake) -> Callable[[Delegate], Delegate]:
    """A change of the node's answer: the hotkey has just these subnets."""
    return lambda delegate: replace(delegate, subnets=subnets)


def subnet(netuid: int, heads: int, dust: int) -> SubnetStake:
    """A subnet in which some nominators have stake, and the hotkey's total is a little more than their sum."""
    stakes = {address(n): n * TAO + n for n in range(1, heads + 1)}
    return SubnetStake(netuid, stakes, sum(stakes.values()) + dust, 10**9)


@pytest.mark.parametrize(("heads", "dust"), [(4, 0), (4, 2), (4, 5), (1_001, 502), (1_003, 506), (0, 1)])
def test_stakes_that_a_runtime_rounded_down_are_stored_with_what_is_left_over(
    world: World, heads: int, dust: int
) -> None:
    node = Lying(world.app.chain, delegate_with(subnet(7, heads, dust)))
    ((snapshot, new),) = snapshots.take(world.engine, node, HOTKEY).stored
    assert (new, snapshot.dust, len(snapshot.stakes), snapshot.verified) == (True, dust, heads, True)
    with engines.reading(world.engine) as conn:
        assert stored.load(conn, HOTKEY, 7, 0, 10**6) == [snapshot]


@pytest.mark.parametrize(("heads", "dust"), [(4, -1), (4, 6), (0, 2), (1_003, 1_005)])
def test_a_subnet_that_does_not_add_up_is_refused_alone(world: World, heads: int, dust: int) -> None:
    node = Lying(world.app.chain, delegate_with(subnet(0, 3, 0), subnet(7, heads, dust), subnet(9, 4, 2)))
    taken = snapshots.take(world.engine, node, HOTKEY)
    assert [snapshot.netuid for snapshot, _ in taken.stored] == [0, 9]
    assert len(taken.refused) == 1
    assert taken.refused[0].startswith("netuid 7 at block")
    with engines.reading(world.engine) as conn:
        assert stored.hotkeys(conn) == [(HOTKEY, 0), (HOTKEY, 9)]
    with pytest.raises(ChainUnreachable, match="do not add up"):
        snapshots.take(world.engine, node, HOTKEY, 7)


def test_only_the_subnets_that_are_wanted_are_recorded(world: World) -> None:
    node = Lying(world.app.chain, delegate_with(subnet(0, 3, 0), subnet(7, 4, 2), subnet(9, 4, 2)))
    taken = snapshots.take(world.engine, node, HOTKEY, only={7, 9, 12})
    assert [snapshot.netuid for snapshot, _ in taken.stored] == [7, 9]
    with pytest.raises(BadInput, match="netuid 12"):
        snapshots.take(world.engine, node, HOTKEY, only={12})


class Begun(Lying):
    """A chain that was begun anew: the same genesis, other blocks."""

    def block(self, number: int) -> BlockView:
        view = self._chain.block(number)
        return replace(view, head=replace(view.head, hash="0x" + "77" * 32))


def test_nothing_is_recorded_beside_a_history_of_another_chain_with_the_same_genesis(world: World) -> None:
    snapshots.take(world.engine, world.app.chain, HOTKEY)
    devnet.advance(world.node, 20)
    with pytest.raises(Refused, match="is not the one that was recorded"):
        snapshots.take(world.engine, Begun(world.app.chain, lambda delegate: delegate), HOTKEY)
    assert len(snapshots.take(world.engine, world.app.chain, HOTKEY).stored) == 1


def test_a_chain_that_is_shorter_than_the_record_is_not_recorded(world: World) -> None:
    devnet.advance(world.node, 20)
    snapshots.take(world.engine, world.app.chain, HOTKEY)

    class Shorter(Lying):
        def finalized(self) -> Head:
            return self._chain.block(3).head

    with pytest.raises(ChainUnreachable, match="the record of stakes at"):
        snapshots.take(world.engine, Shorter(world.app.chain, lambda delegate: delegate), HOTKEY)


def test_a_hotkey_that_is_no_delegate_is_named(world: World) -> None:
    with pytest.raises(BadInput, match="does not list"):
        snapshots.take(world.engine, world.app.chain, address(5))


def test_a_subnet_without_stake_is_refused(world: World) -> None:
    with pytest.raises(BadInput, match="netuid 9"):
        snapshots.take(world.engine, world.app.chain, HOTKEY, 9)


def made(block: int, stakes: dict[str, int], **changes: Any) -> Snapshot:
    return Snapshot(
        **{
            "hotkey": HOTKEY,
            "netuid": 0,
            "block": block,
            "block_hash": "0x",
            "owner": address(99),
            "at": NOON + timedelta(seconds=12 * block),
            "owner_stake": 5,
            "stakes": stakes,
            "price_rao": 10**9,
            "verified": True,
            **changes,
        }
    )


def test_what_is_stored_comes_back_the_same(engine: sa.Engine) -> None:
    first = made(300, {address(n): n**9 for n in range(1, 50)})
    second = made(600, {address(n): n + 2**63 for n in range(25, 75)}, price_rao=None, verified=False)
    with engines.writing(engine) as conn:
        assert stored.add(conn, second)
        assert stored.add(conn, first)
        assert not stored.add(conn, made(300, {}))
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, None, 0, 10**6) == [first, second]
        assert stored.load(conn, HOTKEY, 0, 301, 600) == [second]
        assert (stored.first_block(conn, HOTKEY, 0), stored.last_block(conn, HOTKEY, 0)) == (300, 600)
        assert stored.block_before(conn, HOTKEY, 0, 600) == 300
        assert stored.same(conn, first) is True
        assert stored.same(conn, made(300, {})) is False
        assert stored.same(conn, made(301, {})) is None


def test_a_reading_takes_at_most_eight_bytes_of_the_file(tmp_path: Path) -> None:
    engine = opening.open_engine(fresh("sqlite", tmp_path))
    with engines.reading(engine) as conn:
        empty = conn.exec_driver_sql(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).scalar_one()
    dice, people = random.Random(5), [address(n) for n in range(1, 1001)]
    stakes = {a: int(dice.lognormvariate(4, 2) * TAO) for a in people}
    for hour in range(48):
        stakes = {a: units + units // 20_000 for a, units in stakes.items()}
        if hour % 6 == 5:  # people come and go
            stakes.pop(next(iter(stakes)))
            stakes[address(2000 + hour)] = 7 * TAO
        with engines.writing(engine) as conn:
            stored.add(conn, made(300 * hour, stakes))
    with engines.reading(engine) as conn:
        whole = conn.exec_driver_sql(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).scalar_one()
    assert (whole - empty) / (48 * 1000) <= 8


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))))
def test_a_column_comes_back_from_its_bytes_and_from_its_steps(pairs: list[tuple[int, int]]) -> None:
    values, base = column([pair[0] for pair in pairs]), column([pair[1] for pair in pairs])
    assert unpack(pack(values)).tolist() == values.tolist()
    assert walked(base, unpack(pack(steps(values, base)))).tolist() == values.tolist()


def test_snapshots_that_came_in_any_order_come_back_the_same(engine: sa.Engine) -> None:
    dice = random.Random(3)
    taken = [
        made(300 * hour, {address(n): dice.randrange(2**64) for n in dice.sample(range(1, 40), 20)})
        for hour in range(60)
    ]
    with engines.writing(engine) as conn:
        for snapshot in dice.sample(taken, len(taken)):
            assert stored.add(conn, snapshot)
    with engines.reading(engine) as conn:
        assert stored.load(conn, HOTKEY, 0, 0, 10**6) == taken
        assert stored.load(conn, HOTKEY, 0, 9000, 9000) == [taken[30]]


@given(st.sets(st.integers(1, 2**40)))
def test_packed_ids_unpack_to_the_same_ids(ids: set[int]) -> None:
    assert unpack_ids(pack_ids(sorted(ids))) == sorted(ids)


def test_a_stake_beyond_the_column_is_refused() -> None:
    with pytest.raises(OverflowError):
        column([2**64])
