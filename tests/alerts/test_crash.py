"""Whoever tells may be killed at any step: each alert is told once, or twice with the same code, never not at all."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.alerts.servers import Hook, hook
from tests.alerts.world import NOON, World, all_codes
from tests.homes import CHECKOUT
from valtrac.alerts import targets
from valtrac.alerts.delivery import AppriseNotifier
from valtrac.alerts.model.messages import code_of
from valtrac.core.events import Message

SIGKILLED = -9
ALERTS = (code_of("shop.paid:ann"), code_of("shop.paid:bob"))
TOLD = {"before": 1, "after": 2, "noted": 1, "collected": 1}  # how often the first alert arrives


def goes(home: Path, step: str, seconds: int, web: Hook) -> int:
    """One process; how it ended."""
    arguments = [str(home), step, str(seconds), web.address()]
    return subprocess.run(
        [sys.executable, "-m", "tests.alerts.dying", *arguments], cwd=CHECKOUT, check=False
    ).returncode


def told_after_dying(home: Path, step: str) -> tuple[int, list[str]]:
    """(how the process that was to die at a step ended, the codes that arrived once another had done the rest)."""
    with hook() as web:
        world = World(home)
        targets.add(world.engine, targets.NewTarget("hook", web.address()), lambda *_: None)
        world.addresses["hook"] = web.address()
        world.round()  # alerts begin here
        world.engine.dispose()

        ended = goes(home, step, 10, web)
        world = World(home)
        world.notifier = AppriseNotifier()  # type: ignore[assignment]
        world.addresses["hook"] = web.address()
        world.source.tells("ann", "bob", at=NOON + timedelta(seconds=8))
        world.alerting = world.opened()
        world.rounds(3, after=timedelta(seconds=100))
        world.engine.dispose()
    return ended, all_codes([Message(called["title"], called["message"]) for called in web.taken])


@pytest.mark.parametrize("step", TOLD)
def test_each_alert_arrives_once_or_twice_with_the_same_code(tmp_path: Path, step: str) -> None:
    ended, arrived = told_after_dying(tmp_path, step)
    assert ended == SIGKILLED
    first, second = ALERTS
    assert arrived.count(first) == TOLD[step]
    assert arrived.count(second) == 1
    assert set(arrived) == {first, second}
