"""A snapshot brings the same with it, whether the job, a command or a menu asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.payout_world import HOTKEY, World, address
from valtrac.core.errors import BadInput
from valtrac.devnet import bittensor as devnet
from valtrac.loggers.recording import record
from valtrac.people import destinations


def test_swaps_are_noted_with_every_snapshot(tmp_path: Path) -> None:
    world = World(tmp_path, heads=2).people()
    devnet.announce_swap(world.node, address(1))
    devnet.advance(world.node, 50)
    recorded = record(world.app, HOTKEY)
    assert [new for _, new in recorded.taken.stored] == [True]
    (waits,) = destinations.waiting(world.engine, world.app.settings.quarantine)
    assert (waits.whom, waits.reason) == ("u001", "a coldkey swap was announced on chain")
    world.app.close()


def test_only_the_subnets_of_the_settings_are_recorded(tmp_path: Path) -> None:
    world = World(tmp_path, heads=2, netuids=("7",))
    devnet.advance(world.node, 50)
    with pytest.raises(BadInput, match="no stake on netuid 7"):
        record(world.app, HOTKEY)
    world.app.close()
