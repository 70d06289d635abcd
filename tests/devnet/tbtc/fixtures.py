"""tBTC on a local node for tests: deployed once for all of a worker, set back after each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from valtrac.devnet.tbtc import anvil, system
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import Chains

NO_ANVIL = "there is no anvil here: make tools"


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the deployed state is stored, for the workers together."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if base.name.startswith("popen-") else base) / "tbtc-states"


@pytest.fixture(scope="session")
def deployed(states: Path) -> Iterator[Chains]:
    if anvil.found() is None:
        pytest.skip(NO_ANVIL)
    node, made = system.open_deployed(states)
    yield Chains(node, made, Bitcoin())
    node.stop()


@pytest.fixture
def chains(deployed: Chains) -> Iterator[Chains]:
    """The same for every test. What a test leaves on the Bitcoin chain harms none: keys are used once."""
    mark = deployed.ethereum.snapshot()
    yield deployed
    deployed.ethereum.revert(mark)
