"""Asking a node: logins that change, queues that are full, nodes that start, garbage, exact amounts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pool_world import World
from valtrac.chains.qtum.rpc import COIN, NodeError, Rpc, StartingUp, coins, satoshi
from valtrac.chains.untrusted import Untrusted
from valtrac.core.errors import ChainUnreachable
from valtrac.devnet import qtum


@pytest.fixture
def rpc(world: World) -> Iterator[Rpc]:
    made = Rpc(world.servers[0].url, login=world.folder / ".cookie", timeout_s=1.0)
    yield made
    made.close()


def test_a_login_that_the_nodes_start_has_changed_is_read_anew(world: World, rpc: Rpc) -> None:
    height = rpc.call("getblockcount")
    world.stop_nodes()
    world.start_nodes()
    assert rpc.call("getblockcount") == height
    world.misbehave(refuse_login=1)
    assert rpc.call("getblockcount") == height
    world.misbehave(refuse_login=True)
    with pytest.raises(ChainUnreachable, match="refuses the login"):
        rpc.call("getblockcount")


@pytest.mark.parametrize("text", ["", "no colon", None], ids=["empty", "no password", "missing"])
def test_a_login_that_cannot_be_read_is_told_without_asking(world: World, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "login").write_text(text)
    asked = len(world.servers[0].log)
    with pytest.raises(ChainUnreachable, match="cannot be read"):
        Rpc(world.servers[0].url, login=tmp_path / "login", timeout_s=1).call("getblockcount")
    assert len(world.servers[0].log) == asked


def test_a_full_queue_is_waited_for_and_not_for_ever(world: World, rpc: Rpc) -> None:
    waited: list[float] = []
    rpc.sleep = waited.append
    world.misbehave(busy=3)
    rpc.call("getblockcount")
    assert waited == sorted(waited) and len(waited) == 3
    world.misbehave(busy=True)
    with pytest.raises(Untrusted, match="503"):
        rpc.call("getblockcount")
    assert len(waited) < 12


def test_a_node_that_reads_its_blocks_says_so(world: World, rpc: Rpc) -> None:
    world.misbehave(warming_up=1)
    with pytest.raises(StartingUp, match="starting"):
        rpc.call("getblockcount")
    world.misbehave(warming_up=1)
    with pytest.raises(ChainUnreachable):
        world.pool.chain.tip()


@pytest.mark.parametrize("fault", ["garbage", "wrong_id", "down", "error"])
def test_whatever_comes_back_nothing_else_than_unreachable_reaches_the_program(world: World, fault: str) -> None:
    chain = world.pool.chain
    for many in (1, 2):
        world.misbehave(**{fault: many})
        for ask in (chain.tip, chain.state, partial(chain.heads, world.height - 5, world.height), chain.identity):
            with suppress(ChainUnreachable):
                ask()
        qtum.clear(world.folder)
    assert chain.tip().number == world.height


def test_a_node_that_never_answers_is_left_after_the_time_set(world: World, rpc: Rpc) -> None:
    world.misbehave(hang=True)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        rpc.call("getblockcount")
    assert time.monotonic() - began < 5


def test_what_a_node_says_no_with_has_its_number(rpc: Rpc) -> None:
    with pytest.raises(NodeError) as said:
        rpc.call("getblockhash", 1)
    assert said.value.code == -8
    with pytest.raises(NodeError) as said:
        rpc.many([("getblockcount", []), ("nosuchmethod", [])])
    assert said.value.code == -32601


@given(st.integers(0, 107_822_406 * COIN))
def test_amounts_are_exact_both_ways(units: int) -> None:
    assert satoshi(Decimal(coins(units))) == units
    assert "e" not in coins(units).lower()


@pytest.mark.parametrize(
    "value", [True, "1", None, 0.1, Decimal("0.000000001"), Decimal("NaN"), Decimal("1e400"), [1], 10**30]
)
def test_what_is_no_amount_is_not_taken_for_one(value: object) -> None:
    with pytest.raises(Untrusted):
        satoshi(value)
