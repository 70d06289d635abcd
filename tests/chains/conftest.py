"""The stage for the contract: a rehearsal chain, directly and behind a websocket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chains.contract import Stage
from tests.devnet.bittensor.conftest import TAO, Clock, run, who, world
from valtrac.chains.bittensor import connect
from valtrac.devnet.bittensor import advance, announce_swap, misbehave, open_substrate, seed_world
from valtrac.devnet.bittensor.codec import attach_signature, codec
from valtrac.devnet.bittensor.substrate import DevSubstrate


def adapter(stage: Stage) -> connect.BittensorChain:
    """The chain of a stage, with what only this adapter has."""
    assert isinstance(stage.chain, connect.BittensorChain)
    return stage.chain


def person(name: str) -> str:
    return who("//" + name.replace(" ", ""))


def other_bytes(substrate: DevSubstrate, signer: Any, kind: str) -> bytes:
    """Signed bytes of a call that a payer never makes."""

    def call(module: str, function: str, **args: Any) -> Any:
        return codec().compose_call(module, function, args)

    def transfer(name: str, units: int = 1_000_000, function: str = "transfer_keep_alive") -> Any:
        return call("Balances", function, dest=person(name), value=units)

    def proxied(units: int) -> Any:
        return call("Proxy", "proxy", real=who("//Rich"), force_proxy_type=None, call=transfer("person 0", units))

    some = [transfer("person 0"), transfer("person 1", 10**18), transfer("person 2")]
    calls = {
        "remark": lambda: call("System", "remark", remark="0x00"),
        "allow_death": lambda: transfer("person 0", function="transfer_allow_death"),
        "batch": lambda: call("Utility", "batch", calls=some),
        "force_batch": lambda: call("Utility", "force_batch", calls=some),
        "proxy": lambda: proxied(10**18),
        "proxies": lambda: call("Utility", "batch_all", calls=[proxied(1_000_000), proxied(10**18), proxied(1_000)]),
        "mixed": lambda: call(
            "Utility", "batch_all", calls=[transfer("person 0"), transfer("person 1", function="transfer_allow_death")]
        ),
        "nested": lambda: call("Utility", "batch_all", calls=[call("Utility", "batch_all", calls=[some[0]])]),
    }
    made = calls.get(kind, lambda: transfer("person 0"))()
    unsigned = run(
        substrate.prepare(
            made,
            address=signer.ss58_address,
            nonce=0,
            tip=5 if kind == "tip" else 0,
            period=None if kind == "immortal" else 64,
        )
    )
    return bytes(attach_signature(codec(), unsigned, signer.sign(unsigned.payload)).data)


@pytest.fixture
def chain_file(tmp_path: Path) -> Path:
    path = tmp_path / "chain.sqlite"
    seed_world(path, world(accounts={who("//Rich"): 1_000 * TAO, who("//Hand"): 100 * TAO}), clock=Clock())
    return path


@pytest.fixture
def stage_on(chain_file: Path) -> Iterator[Callable[[connect.BittensorChain], Stage]]:
    """Builds the stage with an adapter for the rehearsal chain in `chain_file`; the payer is a proxy of //Rich."""
    from bittensor.keyfiles import Keypair

    opened = []

    def build(chain: connect.BittensorChain) -> Stage:
        opened.append(chain)
        direct = open_substrate(chain_file)
        return Stage(
            chain,
            connect.dev_payer(chain, "//Hand"),
            who("//Hot"),
            lambda n: _advance(chain_file, n),
            person,
            lambda **faults: misbehave(chain_file, **faults),
            lambda kind: other_bytes(direct, Keypair.create_from_uri("//Hand"), kind),
            lambda name, cancel=False: _announce(chain_file, person(name), cancel),
        )

    yield build
    for chain in opened:
        chain.close()


def _announce(path: Path, address: str, cancel: bool) -> None:
    announce_swap(path, address, cancel=cancel)


def _advance(path: Path, blocks: int) -> None:
    advance(path, blocks)
