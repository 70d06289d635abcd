"""The node on a port of this machine: JSON-RPC over a websocket, one thread for each connection."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as listen

from valtrac.devnet.bitshares import state
from valtrac.devnet.bitshares.endpoint import MOST_BYTES, Endpoint
from valtrac.devnet.bitshares.keys import PREFIX


class Server:
    """Serves a node until it is closed. url: where; log: the newest requests, as they came."""

    def __init__(self, node: Endpoint) -> None:
        self._node = node
        self._open: set[ServerConnection] = set()
        self._lock = threading.Lock()
        self._closed = False
        # pings of ours would keep a client's receive timeout from ever firing
        self._server = listen(
            self._serve, "127.0.0.1", 0, ping_interval=None, max_size=MOST_BYTES, close_timeout=0.2, compression=None
        )
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="bitshares", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """The file that it serves."""
        return self._node.path

    @property
    def log(self) -> deque[dict[str, Any]]:
        """The newest requests."""
        return self._node.log

    def close(self) -> None:
        """Stop listening and drop every connection. Twice does no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            left = list(self._open)
        for connection in left:
            _cut(connection)
        self._server.shutdown()
        self._thread.join(5)
        for end in ("shutdown_watcher", "shutdown_notifier"):  # the library leaves its pipe open
            with suppress(OSError, KeyError):
                os.close(vars(self._server).pop(end))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self, connection: ServerConnection) -> None:
        with self._lock:
            if self._closed:
                return
            self._open.add(connection)
        try:
            for frame in connection:
                request = self._node.received(frame)
                time.sleep(request.slow_s if request else 0)
                reply = self._node.answered(request)
                for answer in reply.frames:
                    connection.send(answer)
                if reply.hangs_up:
                    _cut(connection)
                    break
        except (ConnectionClosed, OSError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            state.disconnect()


def serve(path: Path | str, *, key_prefix: str = PREFIX) -> Server:
    """A node over that file, on a free port of this machine. Several may serve one file, in several processes.

    key_prefix: what it writes before public keys, and expects before them; keys with another are refused.
    """
    return Server(Endpoint(path, key_prefix=key_prefix))


def _cut(connection: ServerConnection) -> None:
    """Break the connection as a network does: without saying goodbye."""
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)
