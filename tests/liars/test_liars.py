"""A payout between nodes that lie is made once: a short form of `make liars`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.liars.worlds import play


@pytest.mark.parametrize("seed", range(9_001, 9_009))
def test_whatever_nodes_say_everyone_is_paid_once(seed: int, tmp_path: Path) -> None:
    world = play(seed, tmp_path)
    assert (world.twice, world.lost, world.stolen, world.stuck) == (0, 0, 0, ""), world
    assert sum(world.lies.values()) > 3
