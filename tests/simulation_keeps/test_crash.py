"""A small price crash of a fixed seed, judged by the chain alone; `make simulate-keeps` replays larger ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.devnet.tbtc.fixtures import NO_ANVIL, states
from tests.simulation_keeps.crash import simulate
from valtrac.devnet.tbtc import anvil

__all__ = ["states"]


def test_what_could_be_saved_is_saved_once_and_every_wei_is_explained(states: Path) -> None:
    if anvil.found() is None:
        pytest.skip(NO_ANVIL)
    result = simulate(seed=3, keeps=6, moments=3, states=states)
    assert result.wrong == ()
    assert (result.requested_twice, result.unexplained_wei, result.allowed) == (0, 0, 0)
    assert result.savable == result.saved > 0
    assert sum(result.troubles.values()) > 3
    assert result.line.startswith("simulate-keeps: keeps=6 savable=")
