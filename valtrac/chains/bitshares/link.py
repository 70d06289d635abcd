"""One websocket to a BitShares node: requests out, replies in by their ids, and a deadline that always holds.

The library reads in a thread of its own, so whoever waits for a reply waits for a whole one and no longer than he wants
to: neither pings nor a reply that trickles in byte by byte can stretch that. Connecting and writing, which can block
inside the library, are given up from outside. No proxy out of the environment, no redirect.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any, Protocol, cast

from valtrac.chains.tls import TlsContext
from valtrac.core.text import plain

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

OWN_PREFIX = "BTS"  # of public keys, everywhere but on the wire of a chain that writes another one
MOST_BYTES = 1 << 28
MOST_STRAYS = 1_000
_GOODBYE_S = 0.2  # how long a node that said goodbye may take to hang up
_SILENT = logging.Logger("link", logging.CRITICAL)  # at DEBUG the library would write an address down, key and all


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


class Connection(Protocol):
    """What a link needs of a websocket: whole messages, in order."""

    def send(self, frame: bytes, *, text: bool) -> None:
        """Hand over a message; may block."""

    def recv(self, timeout: float, *, decode: bool) -> bytes:
        """The next message. Raises TimeoutError."""

    def close_socket(self) -> None:
        """Hang up at once, from any thread. Idempotent."""


Connect = Callable[[str, float], Connection]


class Link:
    """A connection to one node. Not for several threads at once: `rpc` sees to that.

    connect: makes the connection, a websocket unless told otherwise, from its address and the time.monotonic() at
    which to give up.

    key_prefix: what the chain writes before its public keys; in what is sent and received it stands for BTS, which is
    all that differs: the bytes of a transaction hold no prefix.
    """

    def __init__(self, url: str, until: float, *, key_prefix: str = OWN_PREFIX, connect: Connect | None = None) -> None:
        """Connect. until: the time.monotonic() at which to give up. Raises LinkError."""
        self._key_prefix = key_prefix
        self.used_at = time.monotonic()
        self._awaited: set[int] = set()
        self._answered: dict[int, dict[str, Any]] = {}
        try:
            self._connection = (connect or _connected)(url, until)
        except Exception as error:
            raise _link_error(error, until) from None  # the library's own words may hold the address
        self._guard = _Guard(self._connection.close_socket)

    def send(self, number: int, params: bytes, until: float) -> None:
        """Send the request of this number. params: its parameters as JSON. Raises LinkError."""
        self._awaited.add(number)
        head = b'{"id":%d,"jsonrpc":"2.0","method":"call","params":' % number
        self._guard.expect(until)
        try:
            self._connection.send(head + with_prefix(params, OWN_PREFIX, self._key_prefix) + b"}", text=True)
        except Exception as error:
            raise _link_error(error, until) from error
        finally:
            self._guard.expect(math.inf)

    def receive(self, number: int, until: float) -> Any:
        """The result of that request; other awaited replies are kept for later, all others passed over.

        Raises RpcError where the node answered with an error, LinkError where nothing usable came in time.
        """
        strays, room = 0, MOST_BYTES
        try:
            while number not in self._answered:
                frame = self._connection.recv(until - time.monotonic(), decode=False)
                room -= len(frame)
                if room < 0:
                    raise LinkError("its answer does not end")
                message = self._message(frame)
                replied = message.get("id")
                if type(replied) is int and replied in self._awaited:
                    self._awaited.discard(replied)
                    self._answered[replied] = message
                    continue
                strays += 1
                if strays > MOST_STRAYS:
                    raise LinkError("it sends replies that nobody asked for")
        except Exception as error:
            raise _link_error(error, until) from error
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
            self._connection.close_socket()
        self._guard.expect(-math.inf)

    def _message(self, frame: bytes) -> dict[str, Any]:
        try:
            message = json.loads(with_prefix(frame, self._key_prefix, OWN_PREFIX))
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


class _Guard:
    """Cuts a connection whose write does not end in time: the library's own writes know no deadline."""

    def __init__(self, cut: Callable[[], object]) -> None:
        self._cut = cut
        self._change = threading.Condition()
        self._until = self._wakes_at = math.inf
        threading.Thread(target=self._watch, name="link-guard", daemon=True).start()

    def expect(self, until: float) -> None:
        """Cut at that time.monotonic(), unless told otherwise before: math.inf is never, -math.inf now and for good."""
        with self._change:
            self._until = until if self._until > -math.inf else self._until
            if until < self._wakes_at:  # otherwise it wakes early enough, and a busy link would wake it each time
                self._wakes_at = until
                self._change.notify()

    def _watch(self) -> None:
        with self._change:
            while (left := self._until - time.monotonic()) > 0:
                self._wakes_at = self._until
                self._change.wait(None if math.isinf(left) else left)
        self._cut()


def _connected(url: str, until: float) -> ClientConnection:
    """A connection that shook hands. Raises what the library raises, TimeoutError where the time is up.

    It is made in a thread of its own, which is left behind when the time is up: each address of a host would be given
    the whole time again, and a name server's silence has no deadline at all.
    """
    made: Future[ClientConnection] = Future()

    def make() -> None:
        try:
            connection = _connection(url, until)
        except Exception as error:
            with contextlib.suppress(InvalidStateError):
                made.set_exception(error)
            return
        try:
            made.set_result(connection)
        except InvalidStateError:  # nobody waits any more
            connection.close_socket()

    threading.Thread(target=make, name="link-connect", daemon=True).start()
    try:
        return made.result(until - time.monotonic())
    except TimeoutError:
        if made.cancel():
            raise
        return made.result()


def _connection(url: str, until: float) -> ClientConnection:
    from websockets.sync.client import connect

    # The library reads in a thread of its own, which its TLS does not stand. With so short a queue it reads a message
    # ahead and no further, so what it keeps in memory is bounded, too.
    return connect(
        url,
        ssl=cast(ssl.SSLContext, TlsContext()) if url[:4].lower() == "wss:" else None,
        proxy=None,
        compression=None,
        open_timeout=until - time.monotonic(),
        close_timeout=_GOODBYE_S,
        ping_interval=None,
        max_size=MOST_BYTES,
        max_queue=1,
        logger=_SILENT,
    )


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


def _link_error(error: Exception, until: float) -> LinkError:
    if isinstance(error, LinkError):
        return error
    if isinstance(error, TimeoutError) or time.monotonic() >= until:
        return LinkError("no reply in time", timed_out=True)
    return LinkError(_words(error))


def _words(error: Exception) -> str:
    """What went wrong, in words that hold nothing of the address: a key or a login may be part of it."""
    from websockets import exceptions
    from websockets.frames import CloseCode

    if isinstance(error, exceptions.ConnectionClosed):
        too_big = error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG
        return "its answer does not end" if too_big else "it closed the connection"
    if isinstance(error, exceptions.InvalidStatus):
        return f"it is no websocket: HTTP {error.response.status_code}"
    if isinstance(error, exceptions.WebSocketException):
        return "its address is no websocket's" if isinstance(error, exceptions.InvalidURI) else "it is no websocket"
    if isinstance(error, ValueError) and not isinstance(error, OSError):  # a certificate's error is both
        return "its address is no websocket's"
    return str(error) or type(error).__name__
