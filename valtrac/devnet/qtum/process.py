"""The node as a process of its own: started in the background, found again by its directory, stopped."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from valtrac.core.errors import ChainUnreachable, Exit
from valtrac.devnet.qtum import state

NOTE, LOCK = "node.json", ".lock"
_PATIENCE_S = 20.0
_COMMAND = (sys.executable, "-m", "valtrac.devnet.qtum")


def start(directory: Path | str, *, port: int = 0, pace_s: float | None = None) -> str:
    """Start the node of a directory in the background, unless it runs; its url.

    pace_s: make a block each so many seconds. The node outlives the caller, and stays until `stop` or its end is
    brought about otherwise. Raises ChainUnreachable where it does not come up; `qtumd.log` in the directory says why.
    """
    directory = Path(directory)
    state.connect(directory)  # ChainUnreachable where there is no node
    if not _forgotten(directory):
        return _awaited(directory, None)
    with open(directory / "qtumd.log", "ab") as log:
        child = subprocess.Popen(  # noqa: S603 - this program itself
            [
                *_COMMAND,
                str(directory.resolve()),
                "--port",
                str(port),
                *([] if pace_s is None else ["--pace", str(pace_s)]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
    return _awaited(directory, child)


def _awaited(directory: Path, child: subprocess.Popen[bytes] | None) -> str:
    """The url of the node that is coming up, or is up."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and (known := running(directory)) is None:
        if child is not None and child.poll() not in (None, int(Exit.UNREACHABLE)):
            break  # it ended, and not because another one was faster
        time.sleep(0.02)
    known = running(directory)
    if known is None:
        raise ChainUnreachable(f"the rehearsal node of {directory} does not start", fix="read qtumd.log there")
    return known


def _forgotten(directory: Path) -> bool:
    """Whether nobody serves the directory; the word that a killed node left is taken away then."""
    with _held(directory) as mine:
        if mine:
            (directory / NOTE).unlink(missing_ok=True)
        return mine


def running(directory: Path | str) -> str | None:
    """The url of the node that serves a directory, from whatever process; None while none does."""
    note = _note(Path(directory))
    if note is None or not _serves(Path(directory)):
        return None
    return f"http://127.0.0.1:{note['port']}"


def stop(directory: Path | str, *, hard: bool = False) -> bool:
    """Stop the node's process, or kill it where it stands (hard); False where none runs, or it is this very one."""
    directory = Path(directory)
    note = _note(directory)
    if note is None or note["pid"] == os.getpid() or not _serves(directory):
        return False
    with suppress(ProcessLookupError):
        os.kill(note["pid"], signal.SIGKILL if hard else signal.SIGTERM)
    until = time.monotonic() + _PATIENCE_S
    while _serves(directory) and time.monotonic() < until:
        with suppress(ChildProcessError):  # where it is a child of ours, it is not gone until it was waited for
            os.waitpid(note["pid"], os.WNOHANG)
        time.sleep(0.01)
    return True


def written_down(directory: Path, port: int) -> None:
    """Leave word of who serves the directory, and where."""
    fresh = directory / (NOTE + ".tmp")
    fresh.write_text(json.dumps({"pid": os.getpid(), "port": port}), encoding="utf-8")
    fresh.replace(directory / NOTE)


def _note(directory: Path) -> dict[str, Any] | None:
    try:
        note: dict[str, Any] = json.loads((directory / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note


def _serves(directory: Path) -> bool:
    """Whether somebody holds the directory's lock."""
    with _held(directory) as mine:
        return not mine


@contextmanager
def _held(directory: Path) -> Iterator[bool]:
    """Hold the directory's lock for a moment; False where it is somebody else's."""
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)
