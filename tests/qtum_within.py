"""Nodes of this process without a network: asked on the thread that asks, and answering as they would over a socket.

The tests of the node itself, of the reader on the wire and of nodes that are processes of their own stay on sockets.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from valtrac.chains.qtum import rpc
from valtrac.chains.qtum.rpc import Rpc
from valtrac.chains.untrusted import Untrusted
from valtrac.devnet.qtum.answering import HungUp, NoAnswer, answered
from valtrac.devnet.qtum.server import Server


def asked_within(node: Server, asking: Rpc, question: str) -> tuple[int, bytes]:
    """(status, body) of one answer, or what httpx would raise."""
    until = time.monotonic() + asking.timeout_s
    login = asking._auth()
    header = None if login is None else "Basic " + base64.b64encode(":".join(login).encode()).decode()
    try:
        answer = answered(node, urlsplit(asking._path).path or "/", header, question.encode())
    except HungUp:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.") from None
    except NoAnswer:
        time.sleep(max(0.0, until - time.monotonic()))
        raise httpx.ReadTimeout("timed out") from None
    if time.monotonic() > until:
        raise httpx.ReadTimeout("timed out")
    if len(answer.body) > rpc.LARGEST_ANSWER:
        raise Untrusted("an answer of more bytes than there can be")
    return answer.status, answer.body


@contextmanager
def within() -> Iterator[None]:
    """Servers that are started meanwhile are asked so; whatever else stands at an address is asked over its socket."""
    servers: dict[int, Server] = {}
    start, stop, over_a_socket = Server.__init__, Server.close, Rpc._answer

    def started(self: Server, *args: Any, **how: Any) -> None:
        start(self, *args, **how)
        servers[self.port] = self

    def closed(self: Server) -> None:
        if servers.get(self.port) is self:
            del servers[self.port]
        stop(self)

    def asked(self: Rpc, question: str) -> tuple[int, bytes]:
        node = servers.get(urlsplit(self.url).port or 0)
        return over_a_socket(self, question) if node is None else asked_within(node, self, question)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "__init__", started)
        patch.setattr(Server, "close", closed)
        patch.setattr(Rpc, "_answer", asked)
        yield
