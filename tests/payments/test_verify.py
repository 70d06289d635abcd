"""Booked payments are looked up again; one that the chain has lost is handed over as the same bytes, and once."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.payout_world import World, owed
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet import bittensor as devnet
from valtrac.payments.verify import Verified, verify


def settled(world: World) -> Any:
    return world.people().day().approved()


def verified(world: World, **door: Any) -> Verified:
    return verify(world.door(**door), world.app.chain.send)


def keep(world: World, to: Any) -> None:
    with closing(sqlite3.connect(world.node)) as conn:
        conn.execute("VACUUM INTO ?", (str(to),))


def put_back(world: World, kept: Any) -> None:
    """The chain as it was, as if finality had broken."""
    world.app.close()
    for leftover in world.node.parent.glob("devnet.sqlite*"):
        leftover.unlink()
    shutil.copy(kept, world.node)
    world.engine = world.app.engine


def test_payments_that_are_where_the_ledger_has_them_are_counted_and_nothing_is_sent(world: World) -> None:
    batch = settled(world)
    world.send(batch)
    height = devnet.status(world.node)["number"]
    assert verified(world) == Verified(3, ())
    assert devnet.status(world.node)["number"] == height


def test_a_batch_that_there_is_not_is_not_called_verified(world: World) -> None:
    with pytest.raises(BadInput, match="no batch #7"):
        verify(world.door(), world.app.chain.send, batch_id=7)


def test_one_that_the_chain_lost_is_handed_over_again_and_lands_once(world: World, tmp_path: Path) -> None:
    batch = settled(world)
    keep(world, tmp_path / "before.sqlite")
    world.send(batch)
    paid = world.received()
    assert paid == owed(batch)
    put_back(world, tmp_path / "before.sqlite")
    devnet.advance(world.node, 12)
    assert world.received() == {}

    first, second, third = verified(world).gone
    assert "its bytes were handed over again: look once more" in first.words
    assert all("nor is the block that it was signed against" in gone.words for gone in (second, third))
    devnet.advance(world.node, 5)
    first, second, third = verified(world).gone
    assert "it stands in block" in first.words
    assert all("nor is the block" in gone.words for gone in (second, third))
    assert world.received().items() <= paid.items()
    assert len(world.received()) == 3


def test_one_that_can_never_be_included_again_is_told_and_not_sent(world: World, tmp_path: Path) -> None:
    batch = settled(world)
    keep(world, tmp_path / "before.sqlite")
    world.send(batch)
    put_back(world, tmp_path / "before.sqlite")
    devnet.advance(world.node, 200)
    gone = verified(world).gone
    assert "could be included until" in gone[0].words
    assert world.received() == {}


def test_a_node_that_does_not_answer_calls_nothing_gone(world: World) -> None:
    batch = settled(world)
    world.send(batch)
    devnet.misbehave(world.node, down=True)
    with pytest.raises(ChainUnreachable):
        verified(world)


def test_nothing_is_paid_in_a_history_in_which_the_last_payment_never_was(world: World, tmp_path: Path) -> None:
    batch = settled(world)
    keep(world, tmp_path / "before.sqlite")
    world.send(batch)
    second = world.day(1).approved()
    put_back(world, tmp_path / "before.sqlite")
    devnet.advance(world.node, 200)
    with pytest.raises(Refused, match="is another one on this node"):
        world.send(second)
    assert world.received() == {}
