"""Nodes that answer and stand still are noticed, and one that is further is asked instead."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.contracts_world import World
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keeping_up import keep_up
from valtrac.devnet import bitshares

AWAY = "ws://127.0.0.1:1"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[str]]:
    """(the address of a node that stood still two days ago, of one that is up to date)."""
    world = World(tmp_path)
    old = tmp_path / "old.sqlite"
    shutil.copy(world.path, old)
    world.days(2)
    world.close()
    served = [bitshares.serve(old), bitshares.serve(world.path)]
    yield [server.url for server in served]
    for server in served:
        server.close()


def opened(*urls: str) -> connect.BitSharesChain:
    return connect.open_node(urls, network="mychain", timeout_s=5)


def newest(chain: connect.BitSharesChain) -> datetime:
    return chain.finalized().at


def test_the_node_that_is_further_is_asked_from_now_on(nodes: list[str]) -> None:
    chain = opened(AWAY, *nodes)
    before, now = newest(chain), newest(opened(nodes[1]))
    words = keep_up(chain, now, rehearsing=False)
    assert f"the node {nodes[0].rstrip('/')} is 2,880 minutes behind {nodes[1].rstrip('/')}: it stands still" in words
    assert newest(chain) == now > before
    assert keep_up(chain, now, rehearsing=False) == ""


def test_nodes_that_keep_up_are_not_talked_about(nodes: list[str]) -> None:
    chain = opened(nodes[1], nodes[0])
    assert keep_up(chain, newest(chain), rehearsing=False) == ""
    assert chain.rpc.in_use == nodes[1]


def test_a_single_node_is_compared_with_the_clock_of_this_machine(nodes: list[str]) -> None:
    chain = opened(nodes[1])
    late = newest(chain) + timedelta(hours=3)
    assert "minutes old: it stands still, or this clock is off" in keep_up(chain, late, rehearsing=False)
    assert keep_up(chain, datetime(2100, 1, 1, tzinfo=UTC), rehearsing=True) == ""
