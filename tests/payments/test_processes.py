"""Real processes at the same batch, on both databases: everyone is paid once, and the losers are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.harness import launcher
from tests.databases import fresh
from tests.payout_world import World, owed
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments.store import attempts

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str


def environment_of(world: World) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(world.home),
        "VALTRAC_HOME": str(world.home),
        "VALTRAC_CHUNK_SIZE": "3",
        "VALTRAC_DATABASE_URL": world.app.settings.database_url,
    }


def started(world: World, *arguments: str) -> subprocess.Popen[str]:
    """`run.py ...` in a process of its own, in the world's home."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), *arguments],
        env=environment_of(world),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=world.home,
    )


def raced(world: World, *commands: list[str]) -> list[Ended]:
    """Each command in a process of its own, all at once: they have loaded everything when they are let go."""
    said = [world.home / f"racer-{place}" for place in range(len(commands))]
    where = {"folder": str(world.home), "environment": environment_of(world), "steps": "", "kill_at": 0}
    calls = [{**where, "arguments": words, "said": str(path)} for words, path in zip(commands, said, strict=True)]
    codes = launcher().run(*calls)
    return [
        Ended(code, path.with_suffix(".out").read_text("utf-8"), path.with_suffix(".err").read_text("utf-8"))
        for code, path in zip(codes, said, strict=True)
    ]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, heads=20, database_url=fresh(request.param, tmp_path))
    yield made
    made.app.close()


def test_three_processes_sending_the_same_batch_pay_it_once(world: World) -> None:
    batch = world.people().day().approved()
    racers = raced(world, *[["payout", "send", str(batch.id)]] * 3)
    codes = [racer.code for racer in racers]
    assert 0 in codes, racers
    assert set(codes) <= {0, 3, 4, 5}, racers  # refused or told to look again, never a fault of ours
    world.send(batch)
    assert world.received() == owed(batch)
    with reading(world.engine) as conn:
        landed = [attempt for attempt in attempts.of_batch(conn, batch.id) if attempt.state == "landed"]
    assert len({attempt.nonce for attempt in landed}) == len(landed) == 7


def test_a_process_killed_half_way_is_finished_by_the_next(world: World) -> None:
    batch = world.people().day().approved()
    devnet.misbehave(world.node, slow=0.02)
    killed = 0
    for pause in (0.9, 1.1, 1.3):
        victim = started(world, "payout", "send", str(batch.id))
        time.sleep(pause)
        killed += victim.poll() is None
        victim.send_signal(signal.SIGKILL)
        victim.communicate(timeout=60)
    devnet.misbehave(world.node, clear=True)
    world.send(batch)
    assert killed
    assert world.received() == owed(batch)


def test_approving_twice_at_once_approves_once(world: World) -> None:
    from valtrac.core.money import decimal_text

    batch = world.people().day().draft()
    racers = raced(world, *[["payout", "approve", str(batch.id), "--total", decimal_text(batch.total)]] * 3)
    assert sorted(racer.code for racer in racers) == [0, 3, 3], racers


def test_eight_processes_at_two_neighbouring_batches_pay_each_once(world: World) -> None:
    from valtrac.core.money import decimal_text

    first = world.people().day().approved()
    second = world.day(1).draft()
    commands = [
        *[["payout", "send", str(first.id)]] * 3,
        *[["payout", "approve", str(second.id), "--total", decimal_text(second.total), "--despite", "so"]] * 2,
        *[["payout", "send", str(second.id)]] * 2,
        ["payout", "reconcile"],
    ]
    racers = raced(world, *commands)
    assert {racer.code for racer in racers} <= {0, 3, 4, 5}, racers
    assert all("unforeseen" not in racer.err and "deadlock" not in racer.err.lower() for racer in racers), racers
    won, lost = sorted(racer.code for racer in racers[3:5])
    assert won == 0 and lost in (3, 5), racers  # 5: refused while a payment of the others is open
    assert all("why" in racer.err or "fix" in racer.err for racer in racers if racer.code), racers
    world.send(first)
    world.send(second)
    total = {name: owed(first).get(name, 0) + owed(second).get(name, 0) for name in owed(first)}
    assert world.received() == total
