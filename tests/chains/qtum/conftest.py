"""A small rehearsal node, and the chain and the wallet in it as the program sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pool_world import World


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes pools, and closes them."""
    made: list[World] = []

    def make(**named: object) -> World:
        made.append(World(tmp_path / f"home{len(made)}", **named))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(worlds: Callable[..., World]) -> World:
    return worlds()
