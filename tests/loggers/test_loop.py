"""A background job: it ticks, says so, waits longer and longer for a node that is away, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.homes import CHECKOUT
from tests.payout_world import HOTKEY, World
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet import bittensor as devnet
from valtrac.loggers import loop
from valtrac.loggers.jobs import stakes


class Stop:
    """Stands in for the event that ends a job: set after some waits, none of which takes any time."""

    def __init__(self, after: int) -> None:
        self.after, self.waited = after, list[float]()

    def is_set(self) -> bool:
        return len(self.waited) >= self.after

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        return self.is_set()


def ran(tick: Callable[[], loop.Tick], folder: Path, ticks: int) -> tuple[list[float], list[str]]:
    """What a job waited, and what it wrote, over some ticks."""
    stop, written = Stop(ticks), list[str]()
    loop.run("job", tick, folder, write=written.append, stop=stop)  # type: ignore[arg-type]
    return stop.waited, [line.partition(" ")[2] for line in written]


def away() -> loop.Tick:
    raise ChainUnreachable("the node is away", why="no route")


def test_it_waits_as_long_as_the_tick_says(tmp_path: Path) -> None:
    waits = iter([5.0, 7.0, 1.0])
    waited, _ = ran(lambda: loop.Tick(10, "", next(waits)), tmp_path, 3)
    assert waited == [5.0, 7.0, 1.0]


def test_waits_for_a_node_that_is_away_double_and_never_pass_five_minutes(tmp_path: Path) -> None:
    waited, _ = ran(away, tmp_path, 12)
    assert waited == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_a_node_that_came_back_is_asked_at_the_usual_pace_again(tmp_path: Path) -> None:
    answers = iter([away, away, lambda: loop.Tick(10, "", 60.0), away])
    waited, _ = ran(lambda: next(answers)(), tmp_path, 4)
    assert waited == [2, 4, 60, 2]


def test_one_that_is_woken_ticks_at_once_and_waits_again_afterwards(tmp_path: Path) -> None:
    stop, wake, ticks = threading.Event(), threading.Event(), list[float]()

    def tick() -> loop.Tick:
        ticks.append(time.monotonic())
        if len(ticks) == 1:
            wake.set()
            return loop.Tick(1, "", 3_600.0)
        stop.set()
        return loop.Tick(2, "", 3_600.0)

    loop.run("job", tick, tmp_path, write=lambda line: None, stop=stop, wake=wake)
    assert len(ticks) == 2
    assert not wake.is_set()


def test_it_writes_what_it_does_when_and_that_it_ended(tmp_path: Path) -> None:
    written: list[str] = []
    loop.run("job", lambda: loop.Tick(10, "ten", 1.0), tmp_path, write=written.append, stop=Stop(1))  # type: ignore[arg-type]
    assert [line.partition(" ")[2] for line in written] == ["started", "ten", "stopped, as asked"]
    assert all(datetime.fromisoformat(line.partition(" ")[0]).tzinfo == UTC for line in written)


def test_a_tick_with_nothing_to_say_writes_nothing_but_still_beats(tmp_path: Path) -> None:
    _, written = ran(lambda: loop.Tick(10, "", 1.0), tmp_path, 3)
    assert written == ["started", "stopped, as asked"]
    assert loop.last_beat(tmp_path, "job") is not None


def test_the_heartbeat_tells_time_block_words_failures_and_process(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    ran(lambda: loop.Tick(1234, "said", 1.0), tmp_path, 1)
    told = loop.last_beat(tmp_path, "job")
    assert told is not None
    assert before <= told.at <= datetime.now(UTC)
    assert (told.name, told.block, told.words, told.failures, told.pid) == ("job", 1234, "said", 0, os.getpid())


def test_during_an_outage_the_heartbeat_goes_on_and_keeps_the_last_block(tmp_path: Path) -> None:
    answers = iter([lambda: loop.Tick(77, "", 1.0), away, away])
    ran(lambda: next(answers)(), tmp_path, 3)
    told = loop.last_beat(tmp_path, "job")
    assert told is not None
    assert (told.block, told.failures) == (77, 2)
    assert told.words == "the node is away: no route; trying again in 4 s"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadInput("no delegate"), "no delegate"),
        (ZeroDivisionError("by \x1b zero"), "ZeroDivisionError: by · zero"),
    ],
)
def test_any_other_error_ends_it_and_is_the_last_that_the_heartbeat_says(
    tmp_path: Path, error: Exception, words: str
) -> None:
    def broken() -> loop.Tick:
        raise error

    with pytest.raises(type(error)):
        ran(broken, tmp_path, 3)
    told = loop.last_beat(tmp_path, "job")
    assert told is not None
    assert (told.words, told.failures) == (words, 1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "job"}', '{"at": 5}', "null"])
def test_a_heartbeat_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "job.heartbeat.json").write_text(content, encoding="utf-8")
    assert loop.last_beat(tmp_path, "job") is None


def test_a_second_of_the_same_name_is_refused_and_another_name_is_not(tmp_path: Path) -> None:
    with loop.alone(tmp_path, "job"):
        with pytest.raises(Refused, match="job runs already"):
            ran(lambda: loop.Tick(1, "", 1.0), tmp_path, 1)
        with loop.alone(tmp_path, "other"):
            pass
    ran(lambda: loop.Tick(1, "", 1.0), tmp_path, 1)  # the place is free again


def test_a_snapshot_is_taken_at_every_multiple_of_the_interval_and_only_once(world: World) -> None:
    world.app = type(world.app)(world.app.settings.model_copy(update={"snapshot_interval": 50}))
    took = []
    for _ in range(8):
        devnet.advance(world.node, 20)
        told = stakes.tick(world.app, HOTKEY)
        if told.words:
            took.append(told.block)
    assert took == [50, 100, 150]


def test_a_snapshot_missed_by_far_is_taken_late_at_the_head(world: World) -> None:
    world.app = type(world.app)(world.app.settings.model_copy(update={"snapshot_interval": 300}))
    devnet.advance(world.node, 560)  # 300 is more than 200 blocks ago
    assert stakes.tick(world.app, HOTKEY).block == 558
    assert stakes.tick(world.app, HOTKEY).words == ""


def run_logger(world: World) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", str(CHECKOUT / "run.py"), "logger", "run", "stakes", "--hotkey", HOTKEY],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_beat(world: World, patience_s: float = 120) -> dict[str, object]:
    path, deadline = world.home / "logs" / f"{stakes.name_of(HOTKEY)}.heartbeat.json", time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if path.exists():
            return dict(json.loads(path.read_text(encoding="utf-8")))
        time.sleep(0.05)
    raise AssertionError("no heartbeat")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_process_ends_cleanly_on_a_signal_and_refuses_company(world: World, number: signal.Signals) -> None:
    devnet.advance(world.node, 300)
    job = run_logger(world)
    try:
        assert wait_for_beat(world)["pid"] == job.pid
        if number == signal.SIGINT:
            second = run_logger(world)
            _, said = second.communicate(timeout=30)
            assert second.returncode == 3
            assert "runs already" in said
        job.send_signal(number)
        out, err = job.communicate(timeout=30)
    finally:
        job.kill()
        job.wait()
    assert (job.returncode, err) == (0, "")
    assert out.splitlines()[-1].endswith("stopped, as asked")
