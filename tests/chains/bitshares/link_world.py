"""What answers at the other end of a connection, for the tests of one."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio import server as asynchronous
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
def encrypted_node(certificate: Path) -> Iterator[str]:
    """An echo behind TLS, as localhost; yields its address. One thread does everything: TLS stands no second one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def act(connection: asynchronous.ServerConnection) -> None:
        async for text in connection:
            await connection.send(_echoed(text))

    async def live() -> None:
        options: dict[str, Any] = {"ping_interval": None, "close_timeout": 0.1, "open_timeout": None}
        async with asynchronous.serve(act, "127.0.0.1", 0, ssl=context, **options) as server:
            over = asyncio.Event()
            ready.set_result((asyncio.get_running_loop(), over, next(iter(server.sockets)).getsockname()[1]))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(live(),), daemon=True)
    thread.start()
    loop, over, port = ready.result(LONG_S)
    yield f"wss://localhost:{port}"
    loop.call_soon_threadsafe(over.set)
    thread.join(LONG_S)


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
        connection.send(_echoed(text))


def _echoed(text: str | bytes) -> str:
    request = json.loads(text)
    return json.dumps({"id": request["id"], "result": request["params"]})


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
