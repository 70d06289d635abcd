"""Small pools with a node of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pool_world import World
from tests.qtum_within import within


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    with within():
        yield


@pytest.fixture
def pools(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes pools, and closes them."""
    made: list[World] = []

    def make(**named: object) -> World:
        made.append(World(tmp_path / f"home{len(made)}", **named))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for world in made:
        world.close()
