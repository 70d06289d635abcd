from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chains.bitshares.chain_world import NOBODY, World, seeded
from tests.chains.contract import Stage
from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares import keys as account_keys
from valtrac.devnet import bitshares


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return seeded(tmp_path / "chain.sqlite")


@pytest.fixture
def chain(path: Path) -> Iterator[connect.BitSharesChain]:
    """As a real node is asked: over a websocket."""
    with bitshares.serve(path) as node:
        chain = connect.open_node([node.url], network="devnet", timeout_s=30)
        yield chain
        chain.close()


@pytest.fixture
def world(path: Path, chain: connect.BitSharesChain) -> World:
    names = chain.named(["custodian", "alice", "bob", "mute"])
    chain.keys = account_keys.dev_keys("custodian")
    return World(
        path, chain, connect.payer(chain, "custodian", chain.keys), {name: one.id for name, one in names.items()}
    )


@pytest.fixture
def stage(world: World) -> Stage:
    people = {f"person {n}": world.ids[name] for n, name in enumerate(("alice", "bob", "mute"))}

    def address(name: str) -> str:
        return NOBODY if name == "nobody" else people.get(name, world.ids["alice"])

    def misbehave(**faults: object) -> None:
        known = {"wrong_genesis": "wrong_chain_id"}
        bitshares.misbehave(world.path, **{known.get(name, name): value for name, value in faults.items()})

    # This chain has neither numbers nor stakes: the tests of the contract about those do not run here.
    return Stage(
        world.chain,  # type: ignore[arg-type]
        world.payer,
        NOBODY,
        world.produce,
        address,
        misbehave,
        lambda kind: b"",
        lambda *_: None,
    )
