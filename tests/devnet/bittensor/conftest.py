"""A small rehearsal chain, and a bench on which to sign and send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bittensor.keyfiles import Keypair

from valtrac.devnet.bittensor import Hotkey, Subnet, World, advance, misbehave, open_substrate, seed_world, status
from valtrac.devnet.bittensor.codec import SignedExtrinsic, SubstrateRequestException
from valtrac.devnet.bittensor.substrate import DevSubstrate

TAO = 10**9
NOON = 1_767_225_600.0


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def key(uri: str) -> Keypair:
    return Keypair.create_from_uri(uri)


def who(uri: str) -> str:
    return str(key(uri).ss58_address)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Bench:
    path: Path
    clock: Clock
    substrate: DevSubstrate

    def ask(self, method: str, *args: Any, **named: Any) -> Any:
        return run(getattr(self.substrate, method)(*args, **named))

    def rpc(self, method: str, *params: Any) -> Any:
        return run(self.substrate.raw.rpc_request(method, list(params)))

    def call(self, module: str, function: str, **args: Any) -> Any:
        return self.ask("compose", (module, function, args))

    def transfer(self, to: str, units: int, function: str = "transfer_keep_alive") -> Any:
        return self.call("Balances", function, dest=who(to), value=units)

    def sign(self, call: Any, signer: str = "//Rich", *, nonce: int | None = None, period: int = 64) -> bytes:
        at = self.ask("account_next_index", who(signer)) if nonce is None else nonce
        raw: bytes
        raw, _ = self.ask("sign_extrinsic", call, key(signer), nonce=at, period=period)
        return raw

    def send(self, raw: bytes) -> str:
        tx_id: str = self.rpc("author_submitExtrinsic", "0x" + raw.hex())
        return tx_id

    def refusal(self, raw: bytes) -> str:
        with pytest.raises(SubstrateRequestException) as refused:
            self.send(raw)
        assert refused.value.payload is not None, "a lost connection is no refusal"
        return str(refused.value)

    def land(self, call: Any, signer: str = "//Rich") -> Any:
        """Send a call and wait for its outcome."""
        return self.ask("submit", call, key(signer))

    def events(self, result: Any) -> list[tuple[str, str, Any]]:
        """(pallet, event, attributes) of the extrinsic of a result."""
        block, position = result.extrinsic_id.split("-")
        found = self.ask("events", self.ask("block_hash", int(block)))
        return [(e["module_id"], e["event_id"], e["attributes"]) for e in found if e["extrinsic_idx"] == int(position)]

    def free(self, uri: str, block: int | None = None) -> int:
        at = None if block is None else self.ask("block_hash", block)
        free: int = self.ask("query", "System", "Account", [who(uri)], at)["data"]["free"]
        return free

    def nonce(self, uri: str) -> int:
        nonce: int = self.ask("query", "System", "Account", [who(uri)])["nonce"]
        return nonce

    def holds(self, raw: bytes) -> int | None:
        """The block that holds these bytes."""
        for number in range(self.status["number"] + 1):
            block = self.rpc("chain_getBlock", self.ask("block_hash", number))
            if "0x" + raw.hex() in block["block"]["extrinsics"]:
                return number
        return None

    def advance(self, blocks: int) -> None:
        advance(self.path, blocks)

    def misbehave(self, **faults: Any) -> None:
        misbehave(self.path, **faults)

    @property
    def status(self) -> dict[str, Any]:
        return status(self.path)


def world(**changes: Any) -> World:
    stakes = {who("//Owner"): 100 * TAO, who("//ann"): 700 * TAO + 1, who("//bob"): 333 * TAO}
    hotkey = Hotkey(
        who("//Hot"),
        who("//Owner"),
        11_796,
        (Subnet(0, stakes, 3 * TAO + 7), Subnet(1, {who("//ann"): 5 * TAO}, None, 31_200_000)),
    )
    values: dict[str, Any] = {
        "name": "test",
        "accounts": {who("//Rich"): 1_000 * TAO, who("//Poor"): 600},
        "hotkeys": (hotkey,),
        "proxies": ((who("//Hand"), who("//Rich"), "Transfer"),),
        "tempo": 10,
    }
    values["accounts"][who("//Hand")] = 5 * TAO
    return World(**{**values, **changes})


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Bench]:
    def build(file: str = "chain.sqlite", **changes: Any) -> Bench:
        clock = Clock()
        seed_world(tmp_path / file, world(**changes), clock=clock)
        return Bench(tmp_path / file, clock, open_substrate(tmp_path / file, clock=clock))

    return build


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


def signed(raw: bytes) -> SignedExtrinsic:
    from valtrac.devnet.bittensor.codec import tx_id_of

    return SignedExtrinsic(raw, tx_id_of(raw))
