"""A rehearsal node that lies: what it answers is changed on the way out."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from valtrac.devnet.bitshares import keys, packing, state, witnesses
from valtrac.devnet.bitshares.endpoint import Endpoint, Request
from valtrac.devnet.bitshares.server import Server

Lie = Callable[[str, list[Any], Any], Any]


class LyingNode(Endpoint):
    """lie: (method, arguments, the true answer) -> the answer given."""

    lie: Lie | None = None

    def result(self, request: Request) -> dict[str, Any]:
        answer = super().result(request)
        if self.lie is not None and "result" in answer:
            return {"result": self.lie(request.method, request.args, copy.deepcopy(answer["result"]))}
        return answer


class Liar(Server):
    """lie: as the node's; another one from now on where it is set."""

    def __init__(self, path: Path, lie: Lie | None = None) -> None:
        self.lying = LyingNode(path)
        self.lie = lie
        super().__init__(self.lying)

    @property
    def lie(self) -> Lie | None:
        return self.lying.lie

    @lie.setter
    def lie(self, lie: Lie | None) -> None:
        self.lying.lie = lie


def in_blocks(change: Callable[[dict[str, Any]], Any]) -> Lie:
    """Change every block that has transactions; the header stays as it is."""

    def lie(method: str, _args: list[Any], answer: Any) -> Any:
        if method == "get_block" and answer and answer["transactions"]:
            change(answer)
        return answer

    return lie


class Rewritten:
    """A lie about the whole chain: one block is changed, and all after it are made anew by the liar's own keys, or by
    those in `stolen`, so that roots, ids and links fit. Everything that the liar has is a few keys and time."""

    def __init__(
        self, path: Path, at: int, change: Callable[[dict[str, Any]], Any], *, stolen: tuple[int, ...] = ()
    ) -> None:
        self.path, self.at, self.change, self.stolen = path, at, change, stolen
        self.ids: dict[int, str] = {}
        self.blocks: dict[int, dict[str, Any]] = {}

    def __call__(self, method: str, args: list[Any], answer: Any) -> Any:
        if method in ("get_block", "get_block_header") and answer and args[0] >= self.at:
            made = self.block(int(args[0]))
            return made if method == "get_block" else {name: made[name] for name in answer}
        if method == "get_dynamic_global_properties":
            self.block(answer["head_block_number"])
            answer["head_block_id"] = self.ids[answer["head_block_number"]]
        return answer

    def block(self, number: int) -> dict[str, Any]:
        from valtrac.devnet.bitshares import Client

        client = Client(self.path)
        for at in range(self.at, number + 1):
            if at in self.blocks:
                continue
            made = client.call("get_block", at)
            if at == self.at:
                self.change(made)
            else:
                made["previous"] = self.ids[at - 1]
            self.blocks[at], self.ids[at] = sealed(made, at, self.stolen)
        return self.blocks[number]


def sealed(block: dict[str, Any], number: int, stolen: tuple[int, ...]) -> tuple[dict[str, Any], str]:
    """A block with root and signature as they would be, and its id."""
    block["transaction_merkle_root"] = witnesses.merkle_root([packing.tidy(trx) for trx in block["transactions"]])
    witness = int(block["witness"][4:])
    at = state.unstamp(block["timestamp"])
    header = witnesses.header(block["previous"], at, witness, block["transaction_merkle_root"])
    own = witnesses.secret(witness, 0) if witness in stolen else keys.dev_secret(f"liar {witness}", "signing")
    signature = keys.sign(header, own)
    block["witness_signature"] = signature.hex()
    return block, number.to_bytes(4, "big").hex() + hashlib.sha224(header + signature).hexdigest()[8:40]
