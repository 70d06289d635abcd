"""What whoever paid could not list before he died is listed by the next one, though nothing is due any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from menus.frame.ui import Ui
from menus.pool import acts
from tests.pool_world import World
from valtrac.payments import handover

Pools = Callable[..., World]


def died_before_listing(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> World:
    world = pools()
    world.look()
    world.win()
    world.midnight()
    with monkeypatch.context() as dying:
        dying.setattr(handover, "list_payments", lambda door: None)
        world.pay()
    assert world.received() and rows(world) == 0
    world.restart()
    world.unlock()
    return world


def rows(world: World) -> int:
    assert world.pool.log is not None
    return len(world.pool.log.read_text().splitlines()) - 1 if world.pool.log.exists() else 0


def test_the_job_lists_it_when_it_starts(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    world = died_before_listing(pools, monkeypatch)
    world.tick()
    assert rows(world) == len(world.received()) == 2


def test_paying_by_command_lists_it(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    world = died_before_listing(pools, monkeypatch)
    assert not acts.is_due(Ui(), world.app)
    assert rows(world) == len(world.received()) == 2


def test_a_log_that_cannot_be_written_is_said_and_stops_no_look_at_blocks(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = died_before_listing(pools, monkeypatch)
    assert world.pool.log is not None
    world.pool.log.unlink(missing_ok=True)
    world.pool.log.mkdir(parents=True)
    assert "cannot be written" in world.tick()
