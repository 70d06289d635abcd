"""`make liars`: many worlds, two at a time; WORLDS= and SEED= choose them, and reproduce any."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.databases import copies
from tests.liars import bitshares, bittensor, keeps
from tests.liars.played import Played
from valtrac.devnet.tbtc import anvil


def played(seed: int) -> Played:
    """One world in a folder of its own: payouts on Bittensor, every third a custodian on BitShares, every tenth keeps
    of tBTC where there is an anvil to have them on."""
    with tempfile.TemporaryDirectory(prefix="vt-liars-") as folder, copies(True):
        play = bittensor.play if seed % 3 else bitshares.play
        if seed % 10 == 0 and anvil.found() is not None:
            play = keeps.play
        return play(seed, Path(folder))


def main() -> int:
    """Play the worlds, print what was found, and say 1 where anything was."""
    worlds, first = int(os.environ.get("WORLDS", "300")), int(os.environ.get("SEED", "1"))
    told, bad = Counter[str](), list[Played]()
    with ProcessPoolExecutor(2) as pool:
        for number, world in enumerate(pool.map(played, range(first, first + worlds)), 1):
            told += world.lies
            if world.twice or world.lost or world.stolen or world.stuck:
                bad.append(world)
                print(f"world {world.seed}: {world}")
            if number % 50 == 0:
                print(f"liars: {number} worlds", flush=True)
    for lie, times in sorted(told.items()):
        print(f"  {times:6,}  {lie}")
    print(
        f"liars: worlds={worlds} lies={sum(told.values())} paid_twice={sum(bool(w.twice) for w in bad)} "
        f"stolen={sum(bool(w.stolen) for w in bad)} lost={sum(bool(w.lost) for w in bad)} "
        f"stuck={sum(bool(w.stuck) for w in bad)}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
