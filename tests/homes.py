"""A home of one's own for commands and menus: settings from the environment alone, files in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.payout_world import HOTKEY as HOTKEY
from tests.payout_world import World

CHECKOUT = Path(__file__).parent.parent


def move_in(monkeypatch: pytest.MonkeyPatch, home: Path, **settings: str) -> Path:
    """Every command and menu of this test runs in `home`."""
    import os

    for name in [name for name in os.environ if name.startswith("VALTRAC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VALTRAC_HOME", str(home))
    monkeypatch.setenv("VALTRAC_ENV_FILE", os.devnull)
    monkeypatch.setenv("COLUMNS", "80")
    for name, value in settings.items():
        monkeypatch.setenv(f"VALTRAC_{name.upper()}", value)
    return home


def small_world(monkeypatch: pytest.MonkeyPatch, home: Path, heads: int = 3) -> World:
    """The embedded chain with a few nominators, and a home that points at it."""
    world = World(home, heads)
    move_in(monkeypatch, home, hotkeys=HOTKEY, chunk_size="3")
    return world
