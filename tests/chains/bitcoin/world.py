"""A Bitcoin chain of a few blocks, and Electrum servers on this machine that tell of it, well or badly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from websockets.sync.server import ServerConnection, serve

from tests.chains.bitcoin.vectors import mined, tree
from valtrac.chains.bitcoin import transactions
from valtrac.chains.qtum.encoding import hash256, shown

REGTEST_GENESIS = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"
HANG, CLOSE = object(), object()
SCRIPT = b"\x00\x14" + bytes(range(20))


class Words(Exception):
    """What a server says no with."""

    def __init__(self, code: int, words: str) -> None:
        self.code, self.words = code, words


class Raw(bytes):
    """Sent as it is, in the place of an answer."""


def payment(number: int = 1) -> bytes:
    """A transaction with a witness that pays to SCRIPT."""
    parts = b"\x01" + hash256(b"coin %d" % number) + bytes(4) + b"\x00" + bytes(4)
    parts += b"\x01" + (99_964_000).to_bytes(8, "little") + b"\x16" + SCRIPT
    return b"\x01\x00\x00\x00" + b"\x00\x01" + parts + b"\x01\x01\x2a" + bytes(4)


def id_of(raw: bytes) -> str:
    return transactions.read(raw).tx_id


@cache
def blocks(branch: int, after: bytes, count: int, root: bytes) -> tuple[bytes, ...]:
    """Headers, the first of which holds a root. branch: another number makes other blocks."""
    made, previous = list[bytes](), after
    for place in range(count):
        here = root if place == 0 else hash256(b"%d %d" % (branch, place))
        made.append(mined(previous, here))
        previous = hash256(made[-1])
    return tuple(made)


@dataclass
class Chain:
    """Blocks, what waits, and how a server misbehaves: by method an answer, HANG, CLOSE, or a function."""

    headers: list[bytes] = field(default_factory=lambda: list(blocks(0, bytes(32), 3, bytes(32))))
    known: dict[str, bytes] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)
    siblings: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    bad: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    genesis: str = REGTEST_GENESIS
    before_answers: bytes = b""
    shift_ids: int = 0

    def mine(self, raw: bytes, confirmations: int = 1, branch: int = 0) -> None:
        """Put a transaction into a block, as the third of five, and blocks upon it."""
        tx_id = id_of(raw)
        others = [hash256(b"other %d" % place).hex() for place in range(4)]
        root, siblings = tree([*others[:2], tx_id, *others[2:]], 2)
        self.known[tx_id], self.heights[tx_id] = raw, len(self.headers)
        self.siblings[tx_id] = siblings, 2
        self.headers += blocks(branch, hash256(self.headers[-1]), confirmations, root)

    def answer(self, method: str, params: list[Any]) -> Any:
        self.asked.append(method)
        bad = self.bad.get(method)
        if bad is not None:
            return bad(*params) if callable(bad) else bad
        return getattr(self, "_" + method.replace(".", "_"))(*params)

    def _server_version(self, _: str, protocol: str) -> list[str]:
        return ["Fake 1.0", protocol]

    def _server_features(self) -> dict[str, Any]:
        return {"genesis_hash": self.genesis, "hash_function": "sha256", "protocol_max": "1.4"}

    def _server_ping(self) -> None:
        return None

    def _blockchain_headers_subscribe(self) -> dict[str, Any]:
        return {"height": len(self.headers) - 1, "hex": self.headers[-1].hex()}

    def _blockchain_block_headers(self, start: int, count: int) -> dict[str, Any]:
        found = self.headers[start : start + count]
        return {"count": len(found), "hex": b"".join(found).hex(), "max": 2016}

    def _blockchain_transaction_broadcast(self, raw: str) -> str:
        tx_id = id_of(bytes.fromhex(raw))
        if tx_id in self.known:
            raise Words(1, "the transaction was rejected by network rules.\n\ntxn-already-in-mempool")
        self.known[tx_id] = bytes.fromhex(raw)
        return tx_id

    def _blockchain_transaction_get(self, tx_id: str) -> str:
        if tx_id not in self.known:
            raise Words(
                2, "daemon error: DaemonError({'code': -5, 'message': 'No such mempool or blockchain transaction.'})"
            )
        return self.known[tx_id].hex()

    def _blockchain_transaction_get_merkle(self, tx_id: str, height: int) -> dict[str, Any]:
        if self.heights.get(tx_id) != height:
            raise Words(1, f"tx {tx_id} not in block at height {height}")
        siblings, index = self.siblings[tx_id]
        return {"merkle": siblings, "block_height": height, "pos": index}

    def _blockchain_scripthash_get_history(self, name: str) -> list[dict[str, Any]]:
        if name != shown(hashlib.sha256(SCRIPT).digest()):
            return []
        return [{"tx_hash": tx_id, "height": self.heights.get(tx_id, 0)} for tx_id in self.known]

    def _blockchain_estimatefee(self, blocks: int) -> float:
        return 0.00012345


def reply(chain: Chain, question: bytes) -> Any:
    """The bytes of an answer, or HANG or CLOSE."""
    asked = json.loads(question)
    base = {"jsonrpc": "2.0", "id": asked["id"] + chain.shift_ids}
    try:
        answer = chain.answer(asked["method"], asked["params"])
    except Words as error:
        return json.dumps({**base, "error": {"code": error.code, "message": error.words}}).encode()
    if answer is HANG or answer is CLOSE or isinstance(answer, Raw):
        return answer
    return json.dumps({**base, "result": answer}).encode()


@contextlib.contextmanager
def electrum(chain: Chain, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server over tcp or TLS; yields its URL."""
    lines = list[socket.socket]()

    def serve_one(line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            line = tls.wrap_socket(line, server_side=True) if tls else line
            lines.append(line)
            for question in line.makefile("rb"):
                answer = reply(chain, question)
                if answer is HANG:
                    continue
                if answer is CLOSE:
                    break
                line.sendall(chain.before_answers + answer + (b"" if isinstance(answer, Raw) else b"\n"))
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()

    def accept(door: socket.socket) -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            lines.append(line)
            threading.Thread(target=serve_one, args=(line,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=accept, args=(door,), daemon=True).start()
        yield f"{'ssl' if tls else 'tcp'}://127.0.0.1:{door.getsockname()[1]}"
        with contextlib.suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
    for line in lines:
        with contextlib.suppress(OSError):
            line.close()


@contextlib.contextmanager
def websocket(chain: Chain, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server over a websocket; yields its URL."""

    def handle(connection: ServerConnection) -> None:
        for question in connection:
            answer = reply(chain, question.encode() if isinstance(question, str) else question)
            if answer is CLOSE:
                return
            if answer is not HANG:
                half = len(answer) // 2
                connection.send(iter([answer[:half].decode(), answer[half:].decode()]))

    with serve(handle, "127.0.0.1", 0, ssl=tls, ping_interval=None, close_timeout=0.1) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'wss' if tls else 'ws'}://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


def within(seconds: float, act: Callable[[], Any]) -> Any:
    """Do it, and it is over by then."""
    began = time.monotonic()
    try:
        return act()
    finally:
        assert time.monotonic() - began < seconds
