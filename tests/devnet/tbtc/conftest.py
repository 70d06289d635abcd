"""tBTC on a local node: deployed once for all tests of a worker, set back after each."""

from __future__ import annotations

import pytest

from tests.devnet.tbtc.fixtures import NO_ANVIL, chains, deployed, states
from tests.devnet.tbtc.redeemer import Redeemer
from valtrac.devnet.tbtc.chains import Chains

__all__ = ["NO_ANVIL", "chains", "deployed", "redeemer", "states"]


@pytest.fixture
def redeemer(chains: Chains) -> Redeemer:
    return Redeemer(chains, chains.ethereum.accounts()[13])
