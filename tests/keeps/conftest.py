"""Watches over keeps on the real contracts: deployed once for all of a worker, set back after each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.devnet.tbtc.fixtures import NO_ANVIL, states
from tests.keeps.places import BTC, Place, Places
from valtrac.devnet.tbtc import anvil, deposits, system
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.deposits import LocalDeposit

__all__ = ["one", "place", "places", "start", "states"]


@dataclass(frozen=True, slots=True)
class Start:
    """What every test begins with: a deposit of one bitcoin, whose token the VendingMachine has."""

    chains: Chains
    deposit: LocalDeposit


@pytest.fixture(scope="session")
def begun(states: Path) -> Iterator[Start]:
    if anvil.found() is None:
        pytest.skip(NO_ANVIL)
    node, made = system.open_deployed(states)
    chains = Chains(node, made, Bitcoin())
    [deposit] = deposits.make(chains, [BTC])
    node.mine(5)
    yield Start(chains, deposit)
    node.stop()


@pytest.fixture
def start(begun: Start) -> Iterator[Start]:
    """The same for every test, on both chains."""
    chains = begun.chains
    mark, automine = chains.ethereum.snapshot(), chains.ethereum
    yield Start(Chains(chains.ethereum, chains.system, Bitcoin(chains.bitcoin.dump())), begun.deposit)
    automine.automine(True)
    chains.ethereum.revert(mark)


@pytest.fixture
def one(start: Start) -> LocalDeposit:
    return start.deposit


@pytest.fixture
def places(start: Start, tmp_path: Path) -> Iterator[Places]:
    """Makes watches over the chains."""
    with Places(start.chains, tmp_path) as made:
        yield made


@pytest.fixture
def place(places: Places) -> Place:
    """A watch with one provider, and a wallet with 12 TBTC and 10 ETH."""
    return places.new(tbtc=12)
