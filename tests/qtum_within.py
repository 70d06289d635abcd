"""Nodes of this process without a network: httpx asks them on the thread that asks, as it would over a socket.

The tests of the node itself, of the reader on the wire and of nodes that are processes of their own stay on sockets.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from valtrac.chains.qtum.rpc import Rpc
from valtrac.devnet.qtum.answering import HungUp, NoAnswer, answered
from valtrac.devnet.qtum.server import Server


class Within(httpx.BaseTransport):
    """Answers for the servers of this process; whatever else stands at an address is asked over its socket."""

    def __init__(self, servers: dict[int, Server]) -> None:
        self._servers, self._wire = servers, httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        node = self._servers.get(request.url.port or 0)
        if node is None:
            return self._wire.handle_request(request)
        patience_s = request.extensions["timeout"]["read"]
        until = time.monotonic() + patience_s
        login = request.headers.get("Authorization")
        try:
            answer = answered(node, request.url.raw_path.decode(), login, request.read())
        except HungUp:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.") from None
        except NoAnswer:
            time.sleep(max(0.0, until - time.monotonic()))
            raise httpx.ReadTimeout("timed out") from None
        if time.monotonic() > until:
            raise httpx.ReadTimeout("timed out")
        return httpx.Response(answer.status, headers={"Content-Type": answer.kind, **answer.more}, content=answer.body)

    def close(self) -> None:
        self._wire.close()


@contextmanager
def within() -> Iterator[None]:
    """Servers that are started meanwhile are asked so, by readers that are made meanwhile."""
    servers: dict[int, Server] = {}
    start, stop, open_ = Server.__init__, Server.close, Rpc._open

    def started(self: Server, *args: Any, **how: Any) -> None:
        start(self, *args, **how)
        servers[self.port] = self

    def closed(self: Server) -> None:
        if servers.get(self.port) is self:
            del servers[self.port]
        stop(self)

    def opened(self: Rpc) -> Any:
        if self._client is None:
            self._client = httpx.Client(timeout=self.timeout_s, trust_env=False, transport=Within(servers))
        return open_(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "__init__", started)
        patch.setattr(Server, "close", closed)
        patch.setattr(Rpc, "_open", opened)
        yield
