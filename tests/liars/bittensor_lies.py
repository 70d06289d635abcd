"""A node that hides, invents, delays and reorders what it is asked for, by a seed."""

from __future__ import annotations

import copy
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bittensor.result import ChainError

from valtrac.core.trie import body_roots
from valtrac.devnet import bittensor as devnet
from valtrac.devnet.bittensor.codec import rpc_error

Lie = Callable[[random.Random, Any], Any]


class Lost(ChainError):  # type: ignore[misc]
    """The connection broke instead of an answer."""


def _hide(rng: random.Random, block: Any) -> Any:
    """A block without one of its transactions."""
    if len(block["block"]["extrinsics"]) > 1:
        del block["block"]["extrinsics"][rng.randrange(1, len(block["block"]["extrinsics"]))]
    return block


def _hide_well(rng: random.Random, block: Any) -> Any:
    """A block without its transactions whose header is made to fit: its hash is another one."""
    block = _hide(rng, block)
    kept = [bytes.fromhex(text[2:]) for text in block["block"]["extrinsics"]]
    block["block"]["header"]["extrinsicsRoot"] = "0x" + body_roots(kept)[0].hex()
    return block


def _repeat(rng: random.Random, block: Any) -> Any:
    block["block"]["extrinsics"].append(rng.choice(block["block"]["extrinsics"] or ["0x00"]))
    return block


def _reorder(rng: random.Random, block: Any) -> Any:
    rng.shuffle(block["block"]["extrinsics"])
    return block


def _other_root(rng: random.Random, block: Any) -> Any:
    header = block["block"]["header"] if "block" in block else block
    header[rng.choice(["stateRoot", "extrinsicsRoot", "parentHash"])] = "0x" + rng.randbytes(32).hex()
    return block


def _fewer_nodes(rng: random.Random, proof: Any) -> Any:
    if proof["proof"]:
        del proof["proof"][rng.randrange(len(proof["proof"]))]
    return proof


def _other_node(rng: random.Random, proof: Any) -> Any:
    if proof["proof"]:
        place = rng.randrange(len(proof["proof"]))
        proof["proof"][place] = proof["proof"][place][:-2] + f"{rng.randrange(256):02x}"
    return proof


def _no_proofs(rng: random.Random, proof: Any) -> Any:
    raise rpc_error(-32601, "Method not found: state_getReadProof")


def _nothing(rng: random.Random, value: Any) -> Any:
    return None


def _lost(rng: random.Random, value: Any) -> Any:
    raise Lost("the connection was lost")


def _other_hash(rng: random.Random, value: Any) -> Any:
    return "0x" + rng.randbytes(32).hex()


def _other_number(rng: random.Random, value: Any) -> Any:
    return max(0, int(value) + rng.choice([-2, -1, 1, 2, 10**6]))


def _other_account(rng: random.Random, value: Any) -> Any:
    changed = copy.deepcopy(value)
    changed["data"]["free"] = rng.choice([0, 1, 10**18, changed["data"]["free"] + 10**12])
    changed["nonce"] = max(0, changed["nonce"] + rng.choice([-1, 0, 1]))
    return changed


def _turned_events(rng: random.Random, events: Any) -> Any:
    """Success called failure and the other way round; or the transfers are not told."""
    told = copy.deepcopy(events)
    if rng.random() < 0.4:
        return [event for event in told if event["event_id"] != "Transfer"]
    for event in told:
        if event["extrinsic_idx"] and event["event_id"] == "ExtrinsicSuccess":
            event["event_id"] = event["event"]["event_id"] = "ExtrinsicFailed"
            info = event["attributes"]["dispatch_info"]
            event["attributes"] = {"dispatch_error": {"Token": "FundsUnavailable"}, "dispatch_info": info}
    return told


RAW: dict[str, tuple[Lie, ...]] = {
    "chain_getBlock": (_hide, _hide_well, _repeat, _reorder, _other_root, _nothing, _lost),
    "chain_getHeader": (_other_root, _nothing, _lost),
    "chain_getBlockHash": (_other_hash, _nothing, _lost),
    "chain_getFinalizedHead": (_other_hash, _lost),
    "state_getReadProof": (_fewer_nodes, _other_node, _no_proofs, _no_proofs, _lost),
    "state_getKeysPaged": (_nothing, _lost),
    "account_nextIndex": (_other_number, _lost),
    "author_submitExtrinsic": (_other_hash, _lost),
}
SDK: dict[str, tuple[Lie, ...]] = {
    "query": (_other_account, _nothing, _lost),
    "events": (_turned_events, _turned_events, _nothing, _lost),
    "spec_version": (_other_number, _lost),
}


class Liar:
    """The SDK's connection to a node that lies now and then. lies: how often each was told; honest: no more of it."""

    def __init__(self, real: Any, seed: int, often: float) -> None:
        self._real, self._rng, self._often = real, random.Random(seed), often
        self.lies: Counter[str] = Counter()
        self.honest = False
        self.raw = self
        self.own_history: Path | None = None
        self._invented: Any = None

    def invent(self, own_history: Path) -> None:
        """Serve that history from now on, whole and linked, until it is honest again."""
        self.own_history, self._invented = own_history, devnet.open_substrate(own_history)

    @property
    def _served(self) -> Any:
        if self._invented is None or self.honest:
            return self._real
        self.lies["a history of its own"] += 1
        return self._invented

    def __getattr__(self, name: str) -> Any:
        if name in SDK:
            return lambda *args, **named: self._asked(name, args, named)
        served = self._served
        return getattr(served, name) if hasattr(served, name) else getattr(served.raw, name)

    async def rpc_request(self, method: str, params: list[Any] | None = None) -> Any:
        """A raw request: answered, or lied about. A submission may be swallowed, its answer all the same true."""
        swallow = method == "author_submitExtrinsic" and not self.honest and self._rng.random() < self._often
        if swallow:
            self.lies["swallowed"] += 1
            from valtrac.devnet.bittensor.codec import tx_id_of

            return tx_id_of(bytes.fromhex((params or [""])[0].removeprefix("0x")))
        return self._told(method, RAW.get(method, ()), await self._served.raw.rpc_request(method, params))

    async def _asked(self, name: str, args: Any, named: Any) -> Any:
        value = await getattr(self._served, name)(*args, **named)
        if name == "query" and tuple(args[:2]) != ("System", "Account"):
            return value
        return self._told(name, SDK[name], value)

    def _told(self, name: str, lies: tuple[Lie, ...], value: Any) -> Any:
        if self.honest or not lies or value is None or self._rng.random() >= self._often:
            return value
        lie = self._rng.choice(lies)
        self.lies[f"{name}: {lie.__name__.strip('_')}"] += 1
        return lie(self._rng, copy.deepcopy(value))


def copied(source: Path, target: Path) -> None:
    """A SQLite file as it is now, also while it is open."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def fork_off(node: Path, own_history: Path, liar: Liar, rng: random.Random) -> None:
    """Have a node serve a history that begins with the true one, goes on for itself, and is signed by nobody."""
    copied(node, own_history)
    devnet.misbehave(own_history, justifications="none")
    devnet.advance(own_history, rng.choice([1, 2, 9]))
    liar.invent(own_history)
