"""A node for tests: a rehearsal chain behind a real websocket, speaking JSON-RPC and SCALE.

It lets the SDK's own connection (caches, reconnects, codec and all) be driven without a network.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from bittensor.result import ChainError
from websockets.asyncio.server import ServerConnection, serve

from valtrac.devnet.bittensor import open_substrate
from valtrac.devnet.bittensor.codec import SubstrateRequestException, codec, take_apart
from valtrac.devnet.bittensor.dispatch import fee_units, ref_time

_METADATA = lzma.decompress(resources.files("valtrac.devnet").joinpath("metadata-461.xz").read_bytes())


class HangUp(Exception):
    """The node closes the socket instead of answering."""


class Node:
    """Answers one request after the other. garble: method -> what to answer instead; silent: answers nothing;
    twist: (method, params, true result) -> what it says instead."""

    def __init__(self, path: Path) -> None:
        self.chain = open_substrate(path)
        self.port = 0
        self.asked: list[str] = []
        self.garble: dict[str, Any] = {}
        self.silent = False
        self.twist: Callable[[str, list[Any], Any], Any] = lambda method, params, result: result
        self.stop = asyncio.Event()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def serve_one(self, socket: ServerConnection) -> None:
        async for message in socket:
            request = json.loads(message)
            self.asked.append(request["method"])
            if self.silent:
                continue
            try:
                answer = await self._answer(request["method"], request["params"])
            except HangUp:
                socket.transport.abort()
                return
            await socket.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}))

    async def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method in self.garble:
            return self.garble[method] if isinstance(self.garble[method], dict) else {"result": self.garble[method]}
        try:
            return {"result": self.twist(method, params, await self._result(method, params))}
        except (SubstrateRequestException, ChainError) as error:
            payload = getattr(error, "payload", None)
            if payload is not None:
                return {"error": payload["error"]}
            if "State discarded" in str(error):
                return {"error": {"code": 4003, "message": f"Client error: UnknownBlock: {error}".split(". ")[0]}}
            if "Block not found" in str(error):
                return {"error": {"code": -32000, "message": "Client error: UnknownBlock"}}
            raise HangUp from error

    async def _result(self, method: str, params: list[Any]) -> Any:
        if method == "state_getStorageAt":
            return await self._storage(bytes.fromhex(params[0][2:]), params[1])
        if method == "state_queryStorageAt":
            totals = await self._totals(params[0][0][:-4], params[1])
            return [{"block": params[1], "changes": [[key, value] for key, value in totals if key in params[0]]}]
        if method == "state_call":
            return await self._call(*params)
        return await self.chain.raw.rpc_request(method, params)

    async def _storage(self, key: bytes, at: str | None) -> str | None:
        c = codec()
        for module, item in (("System", "Account"), ("Timestamp", "Now"), ("System", "Events")):
            entry = c.storage_entry(module, item)
            if key.startswith(c.storage_key(entry, [])):
                params = [_address(key[-32:])] if item == "Account" else []
                value = await (
                    self.chain.events(at) if item == "Events" else self.chain.query(module, item, params, at)
                )
                if item == "Events":
                    value = [_event(event) for event in value]
                return "0x" + bytes(c.encode(entry.value_type, value)).hex()
        return None

    async def _totals(self, prefix: str, at: str | None) -> list[tuple[str, str]]:
        """Keys and values of TotalHotkeyAlpha under the prefix of one hotkey."""
        c = codec()
        entry = c.storage_entry("SubtensorModule", "TotalHotkeyAlpha")
        hotkey = _address(bytes.fromhex(prefix[-64:]))
        pairs = await self.chain.query_map("SubtensorModule", "TotalHotkeyAlpha", [hotkey], at)
        return [
            ("0x" + c.storage_key(entry, [hotkey, netuid]).hex(), "0x" + units.to_bytes(8, "little").hex())
            for netuid, units in pairs
        ]

    async def _call(self, name: str, data: str, at: str | None = None) -> str:
        raw = bytes.fromhex(data.removeprefix("0x"))
        if name == "Metadata_metadata_at_version":
            blob = bytes(codec().encode("Vec<u8>", list(_METADATA)))
            return "0x01" + blob.hex()
        if name == "TransactionPaymentApi_query_info":
            parts = take_apart(raw[:-4])
            info = {
                "weight": {"ref_time": ref_time(parts.call), "proof_size": 7791},
                "class": "Normal",
                "partial_fee": fee_units(parts.call, len(raw) - 4),
            }
            return self._encoded("TransactionPaymentApi", "query_info", info)
        if name == "DelegateInfoRuntimeApi_get_delegate":
            value = await self.chain.runtime_call("DelegateInfoRuntimeApi", "get_delegate", [_address(raw)], at)
            return self._encoded("DelegateInfoRuntimeApi", "get_delegate", value)
        if name == "SwapRuntimeApi_current_alpha_price":
            price = await self.chain.runtime_call(
                "SwapRuntimeApi", "current_alpha_price", [int.from_bytes(raw, "little")], at
            )
            return self._encoded("SwapRuntimeApi", "current_alpha_price", price)
        raise AssertionError(name)

    def _encoded(self, api: str, method: str, value: Any) -> str:
        return "0x" + bytes(codec().encode(codec().runtime_api_map[api][method]["output"], value)).hex()


def _address(key: bytes) -> str:
    from valtrac.core.addresses import address_of

    return address_of(key)


def _event(event: dict[str, Any]) -> dict[str, Any]:
    """A decoded event in the form that the codec encodes."""
    name, attributes = event["event_id"], event["attributes"]
    inner = name if attributes is None else {name: attributes}
    return {"phase": {"ApplyExtrinsic": event["extrinsic_idx"]}, "event": {event["module_id"]: inner}, "topics": []}


@contextmanager
def running(path: Path) -> Iterator[Node]:
    """A node serving the rehearsal chain in that file, on its own thread."""
    node, started, loop = Node(path), threading.Event(), asyncio.new_event_loop()

    async def main() -> None:
        async with serve(node.serve_one, "127.0.0.1", 0, max_size=None) as server:
            node.port = next(iter(server.sockets)).getsockname()[1]
            started.set()
            await node.stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield node
    finally:
        loop.call_soon_threadsafe(node.stop.set)
        thread.join(10)
