"""One websocket to a Graphene node: requests out, replies in by their ids, and a deadline that always holds.

The deadline is checked at every read and write of the socket, so neither pings nor a reply that trickles in byte by
byte, neither a slow handshake can stretch it. The socket is opened here: no proxy out of the environment, no redirect.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from valtrac.core.text import plain

OWN_PREFIX = "BTS"  # of public keys, everywhere but on the wire of a chain that writes another one
MOST_BYTES = 1 << 28
MOST_STRAYS = 1_000
_CHUNK = 1 << 16


class LinkError(Exception):
    """The connection, or what came over it, is of no use. timed_out: whether the time was up."""

    def __init__(self, words: object, *, timed_out: bool = False) -> None:
        super().__init__(plain(words))
        self.timed_out = timed_out


class RpcError(Exception):
    """The node's own error answer. code: its number; message: its words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{plain(message)} ({code})")
        self.code = code
        self.message = message


class Link:
    """A connection to one node. Not for several threads at once: `rpc` sees to that.

    key_prefix: what the chain writes before its public keys; in what is sent and received it stands for BTS, which is
    all that differs: the bytes of a transaction hold no prefix.
    """

    def __init__(self, url: str, until: float, *, key_prefix: str = OWN_PREFIX) -> None:
        """Connect. until: the time.monotonic() at which to give up. Raises LinkError."""
        self._key_prefix = key_prefix
        self.used_at = time.monotonic()
        self._awaited: set[int] = set()
        self._answered: dict[int, dict[str, Any]] = {}
        try:
            self._socket = _Socket(_connected(url, until), until)
            self._ws = _handshaken(url, self._socket)
        except Exception as error:
            raise _link_error(error) from error

    def send(self, number: int, params: bytes, until: float) -> None:
        """Send the request of this number. params: its parameters as JSON. Raises LinkError."""
        self._awaited.add(number)
        head = b'{"id":%d,"jsonrpc":"2.0","method":"call","params":' % number
        self._socket.until = until
        try:
            self._ws.send(head + with_prefix(params, OWN_PREFIX, self._key_prefix) + b"}")
        except Exception as error:
            raise _link_error(error) from error

    def receive(self, number: int, until: float) -> Any:
        """The result of that request; other awaited replies are kept for later, all others passed over.

        Raises RpcError where the node answered with an error, LinkError where nothing usable came in time.
        """
        self._socket.until, self._socket.room = until, MOST_BYTES
        strays = 0
        try:
            while number not in self._answered:
                message = self._message()
                answered_id = message.get("id")
                if type(answered_id) is int and answered_id in self._awaited:
                    self._awaited.discard(answered_id)
                    self._answered[answered_id] = message
                    continue
                strays += 1
                if strays > MOST_STRAYS:
                    raise LinkError("it sends replies that nobody asked for")
        except Exception as error:
            raise _link_error(error) from error
        self.used_at = time.monotonic()
        return _result(self._answered.pop(number))

    def forget(self, numbers: Iterable[int]) -> None:
        """Replies to these requests are passed over from now on."""
        for number in numbers:
            self._awaited.discard(number)
            self._answered.pop(number, None)

    def close(self) -> None:
        """Hang up, without waiting for a goodbye. Idempotent."""
        with contextlib.suppress(Exception):
            self._socket.close()

    def _message(self) -> dict[str, Any]:
        opcode, frame = self._ws.recv_data_frame()
        if opcode == 8:
            raise LinkError("it closed the connection")
        try:
            message = json.loads(with_prefix(bytes(frame.data), self._key_prefix, OWN_PREFIX))
        except (ValueError, RecursionError) as error:
            raise LinkError("it answered with something that is no JSON") from error
        if not isinstance(message, dict):
            raise LinkError("it answered with something that is no reply")
        return message


def with_prefix(text: bytes, old: str, new: str) -> bytes:
    """JSON with another prefix before every public key in it. Only whole strings of a key's shape are keys: 37 bytes
    in base 58, which are fewer letters where they begin with zeros, as those of the null key."""
    if old == new:
        return text
    return re.sub(rb'"%s([1-9A-HJ-NP-Za-km-z]{30,52})"' % old.encode(), rb'"%s\1"' % new.encode(), text)


class _Socket:
    """A connected socket as the websocket library uses one, with one deadline over all that it does."""

    def __init__(self, inner: socket.socket, until: float) -> None:
        self._inner = inner
        self._read = b""
        self.until = until
        self.room = MOST_BYTES

    def recv(self, size: int) -> bytes:
        if not self._read:
            self._arm()
            self._read = self._inner.recv(_CHUNK)
            self.room -= len(self._read)
            if self.room < 0:
                raise LinkError("its answer does not end")
        part, self._read = self._read[:size], self._read[size:]
        return part

    def send(self, data: bytes) -> int:
        self._arm()
        return self._inner.send(data)

    def settimeout(self, timeout: float | None) -> None:
        """Not heeded: the deadline counts."""

    def gettimeout(self) -> float:
        return max(0.001, self.until - time.monotonic())

    def fileno(self) -> int:
        return self._inner.fileno()

    def shutdown(self, how: int) -> None:
        self._inner.shutdown(how)

    def close(self) -> None:
        self._inner.close()

    def _arm(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no reply in time")
        self._inner.settimeout(left)


def _connected(url: str, until: float) -> socket.socket:
    """A TCP connection, with TLS for wss://. Raises OSError."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    failure: OSError = OSError(f"no address of {host}")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("no connection in time")
        inner = socket.socket(family, kind, protocol)
        try:
            inner.settimeout(left)
            inner.connect(address)
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            inner.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return ssl.create_default_context().wrap_socket(inner, server_hostname=host) if secure else inner
        except OSError as error:
            inner.close()
            failure = error
    raise failure


def _handshaken(url: str, inner: _Socket) -> Any:
    import websocket

    try:
        ws = websocket.WebSocket(skip_utf8_validation=True)
        ws.connect(url, socket=inner, redirect_limit=0)
        if ws.getstatus() != 101:
            raise LinkError("it is no websocket")
    except Exception:
        inner.close()
        raise
    return ws


def _result(message: dict[str, Any]) -> Any:
    error = message.get("error")
    if error is not None:
        code, words = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
        if type(code) is not int or not isinstance(words, str):
            raise LinkError("it answered with an error in a shape that nobody knows")
        raise RpcError(code, words)
    if "result" not in message:
        raise LinkError("it answered with neither a result nor an error")
    return message["result"]


def _link_error(error: Exception) -> LinkError:
    if isinstance(error, LinkError):
        return error
    timed_out = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
    return LinkError("no reply in time" if timed_out else str(error) or type(error).__name__, timed_out=timed_out)
