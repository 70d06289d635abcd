"""A round of alerts in a process of its own that may die at a step: `python -m tests.alerts.dying HOME STEP SECONDS`.

STEP: `before` or `after` a message is handed over, `noted` once that is written down, `collected` before it is made, or
`commit:N` before the N-th time that anything is written down.
SECONDS: how far the clock has run since the test began. The process is killed as a loss of power or memory kills it.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa

from tests.alerts.world import NOON, World
from valtrac.alerts import rounds, sending
from valtrac.alerts.delivery import AppriseNotifier
from valtrac.core.events import Message, Sent


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it lives on")


class Dying:
    """Delivers by apprise, and dies."""

    def __init__(self, step: str) -> None:
        self.step, self.real = step, AppriseNotifier()

    def send(self, address: str, message: Message) -> Sent:
        if self.step == "before":
            die()
        answer = self.real.send(address, message)
        if self.step == "after":
            die()
        return answer


def main(home: str, step: str, seconds: str, address: str) -> None:
    world = World(Path(home))
    world.notifier = Dying(step)  # type: ignore[assignment]
    world.addresses["hook"] = address
    world.alerting = world.opened()
    world.source.tells("ann", "bob", at=NOON + timedelta(seconds=8))
    world.now = NOON + timedelta(seconds=int(seconds))
    if step.startswith("commit:"):
        left = itertools.count(1 - int(step.partition(":")[2]))
        sa.event.listen(world.engine, "commit", lambda _: die() if next(left) == 0 else None)
    if step == "collected":
        rounds.pack = lambda *_: die()  # type: ignore[attr-defined]
    if step == "noted":
        really = sending._note

        def note(*given: Any, **named: Any) -> NoReturn:
            really(*given, **named)
            die()

        sending._note = note
    world.round(after=timedelta(0))


if __name__ == "__main__":
    main(*sys.argv[1:])
