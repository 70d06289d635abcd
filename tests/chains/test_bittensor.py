"""The Bittensor adapter on the rehearsal chain: the contract, and what only this adapter has."""

from __future__ import annotations

import pytest

from tests.chains.contract import *  # noqa: F403 - the contract's tests run here
from valtrac.chains import bittensor


@pytest.fixture
def stage(chain_file, stage_on):
    return stage_on(bittensor.open_devnet(chain_file))
