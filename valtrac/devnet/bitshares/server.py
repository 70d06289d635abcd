"""The node on a port of this machine: JSON-RPC over a websocket, one thread for each connection."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as listen

from valtrac.core.errors import ValtracError
from valtrac.devnet.bitshares import faults, rpc, shapes, state
from valtrac.devnet.bitshares.keys import PREFIX
from valtrac.devnet.bitshares.packing import NodeError

LOG_LENGTH = 10_000


class Server:
    """A node that serves one file until it is closed. url: where; log: the newest requests, as they came.

    key_prefix: what it writes before public keys, and expects before them; keys with another are refused.
    """

    def __init__(self, path: Path | str, *, key_prefix: str = PREFIX) -> None:
        self.path = Path(path)
        self.key_prefix = key_prefix
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        self._open: set[ServerConnection] = set()
        self._lock = threading.Lock()
        self._closed = False
        state.connect(self.path)
        # pings of ours would keep a client's receive timeout from ever firing
        self._server = listen(
            self._serve, "127.0.0.1", 0, ping_interval=None, max_size=1 << 22, close_timeout=0.2, compression=None
        )
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="bitshares", daemon=True)
        self._thread.start()

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

    def __enter__(self) -> Server:
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
                if not self._one(connection, frame):
                    _cut(connection)
                    break
        except (ConnectionClosed, OSError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            state.disconnect()

    def _one(self, connection: ServerConnection, frame: str | bytes) -> bool:
        """Answer one request; False cuts the connection."""
        try:
            request = json.loads(self._read(frame))
            number = request["id"]
            named, given = request["method"], request["params"]
            api, method, args = given if named == "call" else (0, named, given)
            method, args = str(method), list(args)
        except (ValueError, KeyError, TypeError):
            connection.send(json.dumps({"id": None, "jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid"}}))
            return True
        self.log.append(request)
        hit = faults.struck(state.connect(self.path), method)
        time.sleep(hit.get("slow", 0))
        if "down" in hit or "lose_request" in hit:
            return False
        reply = {"id": number, "jsonrpc": "2.0", **self._answered(api, method, args, hit)}
        if "lose_reply" in hit:
            return False
        if "hang" in hit:
            return True
        if "wrong_id" in hit:
            other = number + 1000 if isinstance(number, int) else 1000
            connection.send(json.dumps({"id": other, "jsonrpc": "2.0", "result": None}))
        if "garbage" in hit:
            connection.send(_garbage(hit["garbage"], number))
            return True
        connection.send(_keyed(json.dumps(shapes.fc_json(reply)), PREFIX, self.key_prefix))
        return True

    def _read(self, frame: str | bytes) -> str:
        """A request with keys as they are within. One of another chain keeps its prefix, and so is none within."""
        text = frame if isinstance(frame, str) else frame.decode()
        if self.key_prefix == PREFIX:
            return text
        return _keyed(_keyed(text, PREFIX, "XXX"), self.key_prefix, PREFIX)

    def _answered(self, api: Any, method: str, args: list[Any], hit: dict[str, Any]) -> dict[str, Any]:
        if "error" in hit:
            return {"error": shapes.error(10, "assert_exception", "this rehearsal node was told to fail")}
        try:
            behind, wrong_chain = int(hit.get("behind", 0)), bool(hit.get("wrong_chain_id"))
            result = rpc.call(self.path, api, method, args, behind=behind, wrong_chain=wrong_chain)
        except NodeError as error:
            return {"error": shapes.error(error.code, error.name, str(error))}
        except ValtracError as error:
            return {"error": {"code": -32000, "message": error.what, "data": None}}
        except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError, sqlite3.Error) as error:
            return {"error": {"code": -32603, "message": f"Internal error: {error!r}", "data": None}}
        return {"result": result}


def serve(path: Path | str, *, key_prefix: str = PREFIX) -> Server:
    """A node over that file, on a free port of this machine. Several may serve one file, in several processes."""
    return Server(path, key_prefix=key_prefix)


def _keyed(text: str, old: str, new: str) -> str:
    """JSON with the prefix of every public key in it exchanged: nothing else in it has the shape of one."""
    return text if old == new else re.sub(rf'"{old}([1-9A-HJ-NP-Za-km-z]{{35,52}})"', rf'"{new}\1"', text)


def _garbage(left: Any, number: Any) -> str:
    """No JSON, then JSON of another shape, in turn."""
    count = sum(left.values()) if isinstance(left, dict) else left
    if int(count) % 2:
        return "<html><body>502 Bad Gateway</body></html>"
    return json.dumps({"id": number, "jsonrpc": "2.0", "result": {"unexpected": [1, None, "shape"]}})


def _cut(connection: ServerConnection) -> None:
    """Break the connection as a network does: without saying goodbye."""
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)
