"""Something between the program and a real node: loses replies and breaks connections when it is told to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve


class Proxy:
    """lose_replies: to so many submissions nothing is answered, and the connection breaks. gone: nobody answers."""

    def __init__(self, upstream: str) -> None:
        self.upstream, self.port = upstream, 0
        self.lose_replies, self.gone = 0, False
        self.submitted = 0
        self.stop = asyncio.Event()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def serve_one(self, client: ServerConnection) -> None:
        if self.gone:
            client.transport.abort()
            return
        async with connect(self.upstream, max_size=None, open_timeout=60) as node:
            lost = set[int]()

            async def down() -> None:
                async for message in node:
                    if json.loads(message).get("id") in lost or self.gone:
                        client.transport.abort()
                        return
                    await client.send(message)

            answers = asyncio.create_task(down())
            try:
                async for message in client:
                    request = json.loads(message)
                    if request.get("method") == "author_submitExtrinsic":
                        self.submitted += 1
                        if self.lose_replies:
                            self.lose_replies -= 1
                            lost.add(request["id"])
                    await node.send(message)
            finally:
                answers.cancel()


@contextmanager
def between(upstream: str) -> Iterator[Proxy]:
    """A proxy on a port of its own, on its own thread."""
    proxy, started, loop = Proxy(upstream), threading.Event(), asyncio.new_event_loop()

    async def main() -> None:
        async with serve(proxy.serve_one, "127.0.0.1", 0, max_size=None) as server:
            proxy.port = next(iter(server.sockets)).getsockname()[1]
            started.set()
            await proxy.stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(proxy.stop.set)
        thread.join(10)
