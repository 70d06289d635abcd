"""The Bittensor adapter over the SDK's real connection, to a node behind a websocket: the same contract."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.chains import node as nodes
from tests.chains.contract import *  # noqa: F403 - the contract's tests run here
from valtrac.chains import bittensor
from valtrac.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused


@pytest.fixture
def node(chain_file):
    with nodes.running(chain_file) as running:
        yield running


@pytest.fixture
def stage(node, stage_on):
    return stage_on(bittensor.open_node(node.url, network="test", timeout_s=10))
