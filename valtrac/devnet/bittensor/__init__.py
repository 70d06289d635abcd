"""The embedded rehearsal chain. Importing this costs nothing: `open_substrate` and `open_facts` load the SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from valtrac.devnet.bittensor.faults import active, misbehave
from valtrac.devnet.bittensor.produce import advance
from valtrac.devnet.bittensor.reader import seed
from valtrac.devnet.bittensor.swaps import announce_swap
from valtrac.devnet.bittensor.world import Change, Clock, Hotkey, Subnet, World, generated, seed_world

if TYPE_CHECKING:
    from valtrac.devnet.bittensor.state import Settings
    from valtrac.devnet.bittensor.substrate import DevSubstrate

__all__ = [
    "Change",
    "Hotkey",
    "Subnet",
    "World",
    "advance",
    "announce_swap",
    "generated",
    "misbehave",
    "open_facts",
    "open_substrate",
    "seed",
    "seed_world",
    "status",
]


def open_substrate(
    path: Path | str, *, clock: Clock = time.time, before_access: Sequence[Callable[[str], None]] = ()
) -> DevSubstrate:
    """The chain in that file as the SDK's `Substrate`. clock: seconds since 1970."""
    from valtrac.devnet.bittensor.substrate import DevSubstrate

    return DevSubstrate(path, clock=clock, before_access=before_access)


def open_facts(path: Path | str) -> Callable[[], Settings]:
    """What is fixed of the chain in that file, asked as often as one likes: the file is opened once.

    Raises ChainUnreachable when asked where there is no such chain.
    """
    from valtrac.devnet.bittensor.access import ChainFile

    return ChainFile(path).facts


def status(path: Path | str) -> dict[str, Any]:
    """Where the chain stands, as stored: name, number, finalized, genesis, block_time_s, pool, faults, hotkeys,
    swaps (the addresses whose coldkey swap is announced as of the newest block)."""
    from valtrac.devnet.bittensor import state, swaps

    db = state.connect(Path(path))
    try:
        chain, hotkeys = state.settings(db), db.execute("SELECT hotkey FROM hotkeys ORDER BY hotkey")
        return {
            "name": chain.name,
            "number": state.head(db).number,
            "finalized": chain.finalized,
            "genesis": chain.genesis,
            "block_time_s": chain.block_time_s,
            "pool": db.execute("SELECT COUNT(*) FROM pool").fetchone()[0],
            "faults": active(db),
            "hotkeys": [hotkey for (hotkey,) in hotkeys],
            "swaps": list(swaps.announced(db, state.head(db).number)),
        }
    finally:
        db.close()
