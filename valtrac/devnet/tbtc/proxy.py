"""A JSON-RPC endpoint of this machine before an Ethereum node, that misbehaves and lies on demand.

Several of them before one node are several providers, some of them bad.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Collection
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx

from valtrac.devnet.tbtc import lies
from valtrac.devnet.tbtc.faults import Faults
from valtrac.devnet.tbtc.lies import Lies, Request

FAULTS = {
    "too_many": "HTTP 429 with Retry-After, nothing done",
    "internal": "HTTP 500, nothing done",
    "unauthorized": "HTTP 401, nothing done",
    "limit": "the JSON-RPC error -32005 (limit exceeded) for each request, nothing done",
    "garbage": "carried out, answered by a page of HTML",
    "hang": "nothing done, never answered, the connection stays open until the proxy is closed",
    "lose_reply": "carried out, then the connection is closed without an answer",
    "lose_request": "the connection is closed before anything is done",
    "wrong_id": "the answer bears the id of another request",
}
"""Every fault of the line, and what it does. Lies says what else it may tell falsely."""
_ANSWERED = {"too_many": (429, "Too Many Requests"), "internal": (500, "Internal Server Error")}
_ANSWERED["unauthorized"] = (401, "Unauthorized")
_FIRST = (*_ANSWERED, "limit", "hang", "lose_request")
_SEND = ("eth_sendRawTransaction", "eth_sendTransaction")
RETRY_AFTER_S = 1


class Proxy:
    """Passes requests on to a node until it is closed.

    url: where. faults, lies: how it misbehaves. log: the newest requests as (method, params), also those of batches.
    posts: how many HTTP requests came.
    """

    def __init__(self, target: str, *, port: int = 0) -> None:
        self.faults = Faults(FAULTS, first=_FIRST, shown={"lose_reply": _SEND, "lose_request": _SEND})
        self.lies = Lies()
        self.log: deque[tuple[str, Any]] = deque(maxlen=5_000)
        self.posts = 0
        self.ended = threading.Event()
        self._target = target
        self._http = httpx.Client(timeout=60, trust_env=False)
        self._server = _Server(self, port)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="ethereum proxy", daemon=True
        )
        self._thread.start()

    def misbehave(self, **named: Any) -> None:
        """FAULTS says how; {"eth_getLogs": 3} means the next three of that method."""
        self.faults.set(**named)

    def lie(self, **named: Any) -> None:
        """Tell these things falsely from now on, beside what is false already: the fields of Lies."""
        for name in ("hide_receipts", "other_status"):
            if name in named:
                named[name] = frozenset(one.lower() for one in named[name])
        for name in ("hide_logs", "other_block_hashes"):
            if isinstance(named.get(name), Collection):
                named[name] = frozenset(named[name])
        self.lies = replace(self.lies, **named)

    def behave(self) -> None:
        """End every fault and every lie."""
        self.faults.clear()
        self.lies = Lies()

    def close(self) -> None:
        """Stop. Twice does no harm."""
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def noted(self, requests: list[Request]) -> frozenset[str]:
        """Write down what came; the faults that strike it, of the one request or of any of the batch."""
        self.posts += 1
        struck: set[str] = set()
        for request in requests:
            method = str(request.get("method"))
            self.log.append((method, request.get("params")))
            struck |= self.faults.strike(method)
        return frozenset(struck)

    def answered(self, requests: list[Request], batch: bool) -> Any:
        """What the node says to these, as the lies leave it."""
        now, head = self.lies, 0
        if now.behind:
            head = int(self._post({"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []})["result"], 16)
        passed = [lies.asked(request, now, head) for request in requests]
        answers = self._post(passed if batch else passed[0])
        by_id = {one.get("id"): one for one in (answers if isinstance(answers, list) else [answers])}
        false = [lies.told(request, by_id[request.get("id")], now, head) for request in requests]
        return false if batch else false[0]

    def _post(self, body: Any) -> Any:
        return self._http.post(self._target, json=body).json()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: Proxy, port: int) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets, of which the second would wait

    def do_POST(self) -> None:
        """One request or one batch."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            requests, batch = lies.readable(body), body.lstrip()[:1] == b"["
        except ValueError:
            self._say({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}})
            return
        struck = self.server.owner.noted(requests)
        if not self._failed(requests, batch, struck):
            self._answer(requests, batch, struck)

    def _failed(self, requests: list[Request], batch: bool, struck: frozenset[str]) -> bool:
        """Whether nothing is passed on, and what is said instead."""
        for name, (status, words) in _ANSWERED.items():
            if name in struck:
                self._send(status, words.encode(), "text/plain", retry=status == 429)
                return True
        if "limit" in struck:
            error = {"code": -32005, "message": "daily request count exceeded, request rate limited"}
            said = [{"jsonrpc": "2.0", "id": one.get("id"), "error": error} for one in requests]
            self._say(said if batch else said[0])
            return True
        if "hang" in struck:
            self.server.owner.ended.wait()
        if struck.intersection(("hang", "lose_request")):
            self.close_connection = True
            return True
        return False

    def _answer(self, requests: list[Request], batch: bool, struck: frozenset[str]) -> None:
        try:
            said = self.server.owner.answered(requests, batch)
        except (httpx.HTTPError, ValueError):
            self._send(502, b"Bad Gateway", "text/plain")
            return
        if "lose_reply" in struck:
            self.close_connection = True
            return
        if "garbage" in struck:
            self._send(200, b"<html>upstream error</html>", "text/html")
            return
        if "wrong_id" in struck:
            said = [{**one, "id": -1} for one in said] if batch else {**said, "id": -1}
        self._say(said)

    def _say(self, answer: Any) -> None:
        self._send(200, json.dumps(answer).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str, *, retry: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry:
            self.send_header("Retry-After", str(RETRY_AFTER_S))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: whoever tests reads `log`."""
