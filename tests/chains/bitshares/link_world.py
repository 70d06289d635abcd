"""What answers at the other end of a connection, for the tests of one."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from valtrac.chains.bitshares.link import Link, LinkError

LONG_S = 20  # what is done at once must be done within this, however busy the machine is


@contextmanager
def node(act: Callable[[ServerConnection], object], **options: Any) -> Iterator[str]:
    """A websocket that does this with each connection; yields its address."""

    def handle(connection: ServerConnection) -> None:
        try:
            act(connection)
        except Exception:
            connection.socket.close()

    with serve(handle, "127.0.0.1", 0, ping_interval=None, close_timeout=0.1, **options) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


@contextmanager
def listener(act: Callable[[socket.socket], object]) -> Iterator[str]:
    """A port that does this with the first who calls; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def accept() -> None:
            try:
                peer, _ = door.accept()
                act(peer)
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"ws://127.0.0.1:{door.getsockname()[1]}"


def echo(connection: ServerConnection) -> None:
    for text in connection:
        request = json.loads(text)
        connection.send(json.dumps({"id": request["id"], "result": request["params"]}))


@contextmanager
def opened(url: str, seconds: float = LONG_S) -> Iterator[Link]:
    link = Link(url, time.monotonic() + seconds)
    try:
        yield link
    finally:
        link.close()


def asked(link: Link, seconds: float, params: bytes = b"[1]") -> Any:
    until = time.monotonic() + seconds
    link.send(1, params, until)
    return link.receive(1, until)


def refusal(url: str, seconds: float = LONG_S) -> str:
    with pytest.raises(LinkError) as refused, opened(url, seconds):
        pass
    return str(refused.value)
