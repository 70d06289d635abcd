"""The node without a network: a connection within this process, answered on the thread that asks.

It is what a websocket to the node is to its client: requests are carried out in the order in which they were sent,
whether or not anybody waits for the answers, and a node that hangs up, hangs or is slow does so here too.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path

from websockets.exceptions import ConnectionClosedError

from valtrac.devnet.bitshares.endpoint import MOST_BYTES, Endpoint, Request


class LocalConnection:
    """One connection to the node of a file. Not for several threads at once, but for `close_socket`.

    Raises ChainUnreachable where there is no such node.
    """

    def __init__(self, path: Path | str) -> None:
        self._node = Endpoint(path)
        self._late: deque[tuple[float, Request | None]] = deque()  # with the time at which the node gets to it
        self._frames: deque[str] = deque()
        self._closed = threading.Event()

    def send(self, frame: bytes, *, text: bool) -> None:
        """Hand a request to the node. Raises ConnectionClosedError once the node has hung up."""
        if self._closed.is_set() or len(frame) > MOST_BYTES:
            self._closed.set()
            raise ConnectionClosedError(None, None)
        request = self._node.received(frame)
        slow_s = request.slow_s if request else 0
        if slow_s or self._late:
            begun = self._late[-1][0] if self._late else time.monotonic()
            self._late.append((begun + slow_s, request))
        else:
            self._answer(request)

    def recv(self, timeout: float, *, decode: bool) -> bytes:
        """The next answer. Raises TimeoutError, and ConnectionClosedError where the node has hung up."""
        until = time.monotonic() + timeout
        while not self._frames:
            now = time.monotonic()
            if self._closed.is_set():
                raise ConnectionClosedError(None, None)
            if now >= until:
                raise TimeoutError
            if self._late and self._late[0][0] <= now:
                self._answer(self._late.popleft()[1])
                continue
            self._closed.wait((min(until, self._late[0][0]) if self._late else until) - now)
        return self._frames.popleft().encode()

    def close_socket(self) -> None:
        """Hang up. What the node has received it carries out all the same. Idempotent."""
        self._closed.set()
        late = list(self._late)
        self._late.clear()
        if late:
            threading.Thread(target=self._carry_out, args=(late,), name="bitshares", daemon=True).start()

    def _answer(self, request: Request | None) -> None:
        reply = self._node.answered(request)
        self._frames.extend(reply.frames)
        if reply.hangs_up:
            self._closed.set()

    def _carry_out(self, late: list[tuple[float, Request | None]]) -> None:
        for begins_at, request in late:
            time.sleep(max(0.0, begins_at - time.monotonic()))
            if self._node.answered(request).hangs_up:
                break
