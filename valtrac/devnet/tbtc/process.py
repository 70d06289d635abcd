"""The rehearsal as a process of its own: started in the background, found again by its folder, stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet.tbtc import anvil, world

PATIENCE_S = 60.0
LOG = "world.log"


def start(folder: Path, *, interval_s: float = 2.0) -> dict[str, Any]:
    """Start the rehearsal of a folder in the background, unless it runs; its note. It outlives the caller.

    interval_s: between two Bitcoin blocks. Raises BadInput where there is no anvil, ChainUnreachable where it does not
    come up; its log says why.
    """
    running = world.where(folder)
    if running is not None:
        return _told_all(folder, lambda: world.where(folder) is None)
    if anvil.found() is None:
        raise BadInput("there is no anvil here, which the rehearsal runs on", fix="install it: make tools")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "valtrac.devnet.tbtc", str(folder.resolve()), "--interval", str(interval_s)]
    with open(folder / LOG, "ab") as log:
        child = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parents[3],
            start_new_session=True,
        )
    return _told_all(folder, lambda: child.poll() is not None)


def _told_all(folder: Path, ended: Callable[[], bool]) -> dict[str, Any]:
    """The note of a rehearsal once it can be asked for things. Raises ChainUnreachable."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        running = world.where(folder)
        if running is not None and "control_url" in running:
            return running
        if ended():
            break
        time.sleep(0.05)
    raise ChainUnreachable(f"the rehearsal of {folder} does not start", fix=f"read {folder / LOG}")


def stop(folder: Path) -> bool:
    """End the rehearsal of a folder; whether it ran. What it held is there at the next start."""
    running = world.where(folder)
    if running is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(running["pid"], signal.SIGTERM)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and world.where(folder) is not None:
        time.sleep(0.05)
    return True
