"""Jobs that begin locked: they work, but nothing is signed before the owner's terminal hands the keys in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from valtrac import settings as config
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.core.text import plain
from valtrac.loggers import loop
from valtrac.loggers.pm2_home import home
from valtrac.secrets.unlock_socket import Keyhole
from valtrac.settings import Settings
from valtrac.wiring.contracts import ContractsApp, secrets_of

AFTER_A_FAULT_S = 30.0


def socket_of(settings: Settings, name: str) -> Path:
    """Where a job listens for its secrets."""
    return home(settings) / f"{name}.sock"


def a_round(tick: Callable[[], loop.Tick]) -> loop.Tick:
    """One tick. Whatever goes wrong in it is said and tried again, as this process holds keys that somebody typed; a
    node that is away is the loop's own matter (ChainUnreachable)."""
    try:
        return tick()
    except ChainUnreachable:
        raise
    except ValtracError as error:
        words = f"{error.what}{': ' + error.why if error.why else ''}"
    except Exception as error:
        words = f"something unforeseen, please report it: {type(error).__name__}: {plain(error, 300)}"
    return loop.Tick(None, words, AFTER_A_FAULT_S)


class LockedApp(Protocol):
    """What a job works with: it has settings, and lets go of its secrets when it is closed."""

    @property
    def settings(self) -> Settings:
        """Everything that the owner has set."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def run(name: str, own: LockedApp, tick: Callable[[], loop.Tick], unlock: Callable[[dict[str, Any]], None]) -> None:
    """Run a job until it is told to stop. unlock: takes what was handed in; it may refuse it in words."""
    unlocked = threading.Event()

    def take(given: dict[str, Any]) -> str:
        unlock(given)
        loop.say(own.settings.logs, name, "unlocked")
        unlocked.set()  # what has waited for the keys waits no longer
        return "unlocked"

    try:
        # the socket is made by the one that runs: a second one would take it away from the first
        path = socket_of(own.settings, name)
        loop.note(own.settings.warnings)
        loop.run(name, lambda: a_round(tick), own.settings.logs, wake=unlocked, beside=lambda: Keyhole(path, take))
    finally:
        own.close()


def run_contracts(
    name: str,
    tick: Callable[[ContractsApp], loop.Tick],
    *,
    before_unlocking: Callable[[ContractsApp], None] = lambda app: None,
) -> None:
    """Run a job of the custodian account. before_unlocking: may refuse the keys in words."""
    own = ContractsApp(config.load())

    def unlock(given: dict[str, Any]) -> None:
        password, exchanges = secrets_of(given)
        before_unlocking(own)
        own.unlock(password, exchanges)

    run(name, own, lambda: tick(own), unlock)
