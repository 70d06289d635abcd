"""The Ethereum node as its JSON-RPC shows it, with what a test node lets one do to time and blocks."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from valtrac.core.errors import ChainUnreachable

_PATIENCE_S = 60.0


class NodeSaid(Exception):
    """An error that the node answered. data: of a revert the bytes it gave, as hex."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{message} ({code})")
        self.code, self.message, self.data = code, message, data


class Node:
    """A connection to a test node. Threads may share it."""

    def __init__(self, url: str) -> None:
        self.url = url
        # the proxy of an environment is never meant for a port of this machine
        self._http = httpx.Client(timeout=_PATIENCE_S, trust_env=False)
        self._ids = itertools.count(1)

    def call(self, method: str, *params: Any) -> Any:
        """The result. Raises NodeSaid, or ChainUnreachable where nobody answers."""
        return _result(self._post(self._request(method, params)))

    def batch(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The results of many (method, *params) in one request, in the same order; an error is a NodeSaid in its
        place, so that one failure does not hide the others."""
        if not calls:
            return []
        sent = [self._request(method, params) for method, *params in calls]
        answers = {answer["id"]: answer for answer in self._post(sent)}
        found: list[Any] = []
        for request in sent:
            try:
                found.append(_result(answers[request["id"]]))
            except NodeSaid as said:
                found.append(said)
        return found

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, body: Any) -> Any:
        try:
            return self._http.post(self.url, json=body).json()
        except (httpx.HTTPError, ValueError) as error:
            raise ChainUnreachable(f"the local Ethereum node at {self.url} does not answer", why=str(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def accounts(self) -> list[str]:
        """The addresses whose keys the node has."""
        found: list[str] = self.call("eth_accounts")
        return found

    def height(self) -> int:
        """The number of the newest block."""
        return int(self.call("eth_blockNumber"), 16)

    def now(self) -> int:
        """The time of the newest block, in seconds since 1970."""
        return int(self.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def warp(self, seconds: int) -> None:
        """Let time pass, and mine a block so that contracts notice."""
        self.warp_to(self.now() + seconds)

    def warp_to(self, timestamp: int) -> None:
        """Mine a block that bears exactly this time."""
        self.call("evm_setNextBlockTimestamp", timestamp)
        self.call("evm_mine")

    def next_block_at(self, timestamp: int) -> None:
        """Give the block that comes next this time, whoever makes it come."""
        self.call("evm_setNextBlockTimestamp", timestamp)

    def mine(self, blocks: int = 1) -> None:
        """Mine blocks, with what waits in the pool in the first ones."""
        self.call("anvil_mine", hex(blocks))

    def automine(self, on: bool) -> None:
        """Whether each transaction gets a block of its own at once."""
        self.call("evm_setAutomine", on)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Transactions wait in the pool for `mine` meanwhile; a node that mined by itself does so again afterwards."""
        mined_itself = bool(self.call("anvil_getAutomine"))
        if mined_itself:
            self.automine(False)
        try:
            yield
        finally:
            if mined_itself:
                self.automine(True)
                # what somebody else sent in between would wait for the next transaction
                if int(self.call("txpool_status")["pending"], 16):
                    self.call("evm_mine")

    def snapshot(self) -> str:
        """A mark to go back to, once."""
        return str(self.call("evm_snapshot"))

    def revert(self, mark: str) -> None:
        """Go back to a mark; what came after it is gone."""
        if not self.call("evm_revert", mark):
            raise NodeSaid(0, f"there is no snapshot {mark}")

    def reorg(self, depth: int) -> None:
        """Replace the newest blocks by as many empty ones: their transactions are gone."""
        # another miner, or a block that was empty before would come out the same
        self.call("anvil_setCoinbase", f"0x{secrets.randbits(160):040x}")
        self.call("anvil_reorg", depth, [])

    def set_base_fee(self, wei: int) -> None:
        """The base fee of the next block, in wei per gas."""
        self.call("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def set_balance(self, address: str, wei: int) -> None:
        """What an address has, from now on."""
        self.call("anvil_setBalance", address, hex(wei))


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is not None:
        raise NodeSaid(int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
    return answer.get("result")
