"""Running a background job: tick, heartbeat, growing waits when the node is away, a clean end on a signal."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from valtrac.core.endpoints import shown
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.core.home import for_its_owner
from valtrac.core.text import plain

FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
LOOK_S = 0.5
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
LARGEST_PID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Beat:
    """What a job last said of itself. at: UTC; block: the last one it dealt with, or None."""

    name: str
    at: datetime
    block: int | None
    words: str
    failures: int
    pid: int


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did: the block that it dealt with, words for the log, seconds until the next."""

    block: int | None
    words: str
    wait_s: float


def _print(line: str) -> None:
    """A line on stdout. Nobody may listen any more (pm2 was killed): the record is worth more than the log."""
    with suppress(OSError):
        print(line, flush=True)


def note(notes: Iterable[str]) -> None:
    """Lines for the log of a job that is about to run."""
    for words in notes:
        _print(_line(words))


def run(
    name: str,
    tick: Callable[[], Tick],
    folder: Path,
    *,
    write: Callable[[str], None] = _print,
    stop: threading.Event | None = None,
    wake: threading.Event | None = None,
    beside: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> None:
    """Tick until told to stop. A node that is away is waited for, twice as long each time, 5 minutes at most.

    stop: without one, SIGINT and SIGTERM end the job after the tick that is under way; a second SIGINT at once.
    wake: whoever sets it has the next tick begin now; it is cleared then.
    beside: what is open for as long as the job runs, made once it is the only one of its kind.
    Raises Refused when the same job runs already. Any other error ends the job, with its words in the heartbeat.
    """
    stop = stop or _stopped_by_signals()
    with alone(folder, name), beside():
        failures = 0
        write(_line("started"))
        while not stop.is_set():
            try:
                done = tick()
                failures, wait_s = 0, done.wait_s
                beat(folder, Beat(name, datetime.now(UTC), done.block, done.words, 0, os.getpid()))
                if done.words:
                    write(_line(done.words))
            except ChainUnreachable as error:
                failures += 1
                wait_s = min(FIRST_WAIT_S * 2 ** (failures - 1), LONGEST_WAIT_S)
                cause = ": ".join(part for part in (error.what, error.why) if part)
                words = plain(f"{cause}; trying again in {wait_s:.0f} s", 500)
                say(folder, name, words, failures)
                write(_line(words))
            except Exception as error:
                said = error.what if isinstance(error, ValtracError) else f"{type(error).__name__}: {error}"
                words = plain(shown(said))
                say(folder, name, words, failures + 1)
                raise
            _rest(stop, wake, wait_s)
        write(_line("stopped, as asked"))


def _rest(stop: threading.Event, wake: threading.Event | None, wait_s: float) -> None:
    """Wait until the next tick, told to stop, or woken."""
    if wake is None:
        stop.wait(wait_s)
        return
    until = time.monotonic() + wait_s
    while not wake.is_set() and (left := until - time.monotonic()) > 0 and not stop.wait(min(left, LOOK_S)):
        pass
    wake.clear()


def last_beat(folder: Path, name: str) -> Beat | None:
    """What a job last wrote of itself; None when it never did, or nothing that can be read."""
    try:
        values = json.loads((folder / f"{name}.heartbeat.json").read_text(encoding="utf-8"))
        told = Beat(**{**values, "at": datetime.fromisoformat(values["at"])})
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    numbers = type(told.pid) is int and 0 < told.pid <= LARGEST_PID and type(told.failures) is int
    return told if numbers and isinstance(told.words, str) and told.at.tzinfo is not None else None


def beat(folder: Path, told: Beat) -> None:
    """Write a heartbeat, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{told.name}.{os.getpid()}.tmp"
    with open(fresh, "w", encoding="utf-8", opener=for_its_owner) as file:
        json.dump({**asdict(told), "at": told.at.isoformat()}, file)
    os.replace(fresh, folder / f"{told.name}.heartbeat.json")


def say(folder: Path, name: str, words: str, failures: int = 0) -> None:
    """Write words into this job's heartbeat at once, where what it said last is not true any more."""
    last = last_beat(folder, name)
    beat(folder, Beat(name, datetime.now(UTC), last.block if last else None, words, failures, os.getpid()))


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Hold the only place there is for a job of this name. Raises Refused when it is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.lock", "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(
                f"{name} runs already", why="one of each is enough", fix="see: run.py logger status"
            ) from error
        yield


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, _: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    return stop


def _line(words: str) -> str:
    return f"{datetime.now(UTC).isoformat(timespec='seconds')} {plain(words, 1000)}"
