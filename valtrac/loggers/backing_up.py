"""Backups while a job runs: at its start, and whenever the newest is too old; of several jobs, one makes each."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from valtrac.core.text import plain
from valtrac.loggers import loop
from valtrac.settings import Settings
from valtrac.wiring import backups

LOOK_S = 60.0


@contextmanager
def backing_up(settings: Settings, *, every_s: float = LOOK_S) -> Iterator[None]:
    """Look now and then, on a thread of its own, for as long as the block runs; one that is being made is finished."""
    over = threading.Event()

    def keep() -> None:
        told = ""
        while True:
            try:
                words = backups.make_if_due(settings)
            except Exception as error:  # whatever it was, the job goes on, and its log says so
                words = f"no backup: {type(error).__name__}: {plain(error)}"
            if words and words != told:  # what cannot be made is told once, not every minute
                loop.note([words])
            told = words
            if over.wait(every_s):
                return

    thread = threading.Thread(target=keep, name="backups", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)
