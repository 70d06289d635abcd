"""Between nodes that lie everyone is paid once: a short form of `make liars`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.liars import bitshares, bittensor, keeps
from valtrac.devnet.tbtc import anvil


@pytest.mark.parametrize("seed", range(9_001, 9_007))
def test_whatever_nodes_say_of_a_payout_everyone_is_paid_once(seed: int, tmp_path: Path) -> None:
    world = bittensor.play(seed, tmp_path)
    assert (world.twice, world.lost, world.stolen, world.stuck) == (0, 0, 0, ""), world
    assert sum(world.lies.values()) > 3


@pytest.mark.parametrize("seed", range(9_001, 9_004))
def test_whatever_nodes_say_of_a_custodian_account_every_client_gets_what_he_gets_among_honest_ones(
    seed: int, tmp_path: Path
) -> None:
    world = bitshares.play(seed, tmp_path)
    assert (world.twice, world.lost, world.stolen, world.stuck) == (0, 0, 0, ""), world
    assert sum(world.lies.values()) > 3


def test_whatever_providers_say_of_keeps_each_is_asked_for_once_and_every_wei_is_explained(tmp_path: Path) -> None:
    if anvil.found() is None:
        pytest.skip("there is no anvil here: make tools")
    world = keeps.play(9_010, tmp_path)
    assert (world.twice, world.lost, world.stolen, world.stuck) == (0, 0, 0, ""), world
    assert sum(world.lies.values()) > 3
