"""One connection to an Electrum server: whole messages out and in, over tcp, TLS or a websocket.

Every call ends by its deadline, whatever the server does, name servers included; no message grows beyond LARGEST. No
proxy out of the environment, no redirect. What went wrong is said in words without the address: it may hold a key.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from valtrac.chains.bitcoin.servers import Server
from valtrac.core.text import plain

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.frames import Frame

LARGEST = 10 * 1024 * 1024  # the largest transaction there can be has 8 MB of hex digits
_PIECE = 65_536
_SILENT = logging.Logger("lines", logging.CRITICAL)  # at DEBUG the library would write an address down, key and all


class Broken(Exception):
    """The connection, or what came over it, is of no use; it is not to be used again."""

    def __init__(self, words: object) -> None:
        super().__init__(plain(words))


class Connection(Protocol):
    """Whole messages, in order. until: the time.monotonic() at which to give up. Both raise Broken."""

    def send(self, message: bytes, until: float) -> None:
        """Hand one message over."""

    def receive(self, until: float) -> bytes:
        """The next message."""

    def close(self) -> None:
        """Hang up at once. Idempotent."""


def opened(server: Server, until: float) -> Connection:
    """A connection that shook hands, its certificate checked or the one that is pinned. Raises Broken."""
    plug = _Plug(_socket(server, until))
    try:
        if server.is_encrypted:
            plug.encrypt(server, until)
        return _Frames(plug, server, until) if server.is_websocket else _Lines(plug)
    except BaseException:
        plug.close()
        raise


class _Plug:
    """A socket whose every call has a deadline."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def encrypt(self, server: Server, until: float) -> None:
        """Speak TLS from now on, after the certificate was looked at. Raises Broken."""
        context = ssl.create_default_context()
        if server.pin:  # the certificate is known by heart: who signed it and for which name says nothing more
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self._told(until):
            line = context.wrap_socket(self._line, server_hostname=server.host, do_handshake_on_connect=False)
            self._line = line
            line.do_handshake()
            shown = hashlib.sha256(line.getpeercert(binary_form=True) or b"").digest()
        if server.pin and not hmac.compare_digest(shown, server.pin):
            raise Broken("its certificate is another one than the one that is pinned")

    def send(self, data: bytes, until: float) -> None:
        """All of it. Raises Broken."""
        view = memoryview(data)
        while view:
            with self._told(until):
                view = view[self._line.send(view[:_PIECE]) :]

    def receive(self, until: float) -> bytes:
        """What has come, at least a byte. Raises Broken, also where it hung up."""
        with self._told(until):
            data = self._line.recv(_PIECE)
        if not data:
            raise Broken("it closed the connection")
        return data

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._line.close()

    @contextlib.contextmanager
    def _told(self, until: float) -> Any:
        left = until - time.monotonic()
        if left <= 0:
            raise Broken("no reply in time")
        try:
            self._line.settimeout(left)
            yield
        except TimeoutError:
            raise Broken("no reply in time") from None
        except ssl.SSLCertVerificationError as error:
            raise Broken(f"its certificate is not valid: {error.verify_message}") from None
        except OSError as error:
            raise Broken(error.strerror or type(error).__name__) from None


class _Lines:
    """Messages that end with the end of a line."""

    def __init__(self, plug: _Plug) -> None:
        self._plug, self._held = plug, bytearray()

    def send(self, message: bytes, until: float) -> None:
        """Hand one message over."""
        self._plug.send(message + b"\n", until)

    def receive(self, until: float) -> bytes:
        """The next message."""
        looked = 0
        while (end := self._held.find(b"\n", looked)) < 0:
            looked = len(self._held)
            if looked > LARGEST:
                raise Broken("its answer does not end")
            self._held += self._plug.receive(until)
        message = bytes(self._held[:end])
        del self._held[: end + 1]
        return message

    def close(self) -> None:
        """Hang up at once."""
        self._plug.close()


class _Frames:
    """Messages of a websocket. The library turns bytes into frames and back; the socket is ours, and its deadlines."""

    def __init__(self, plug: _Plug, server: Server, until: float) -> None:
        from websockets.client import ClientProtocol
        from websockets.uri import WebSocketURI

        self._plug = plug
        self._frames: list[Frame] = []
        uri = WebSocketURI(server.scheme == "wss", server.host, server.port, *_halves(server.path))
        self._protocol: ClientProtocol = ClientProtocol(uri, max_size=LARGEST, logger=_SILENT)
        self._protocol.send_request(self._protocol.connect())
        self._flush(until)
        while not self._shook_hands():
            self._advance(until)

    def send(self, message: bytes, until: float) -> None:
        """Hand one message over."""
        from websockets.exceptions import WebSocketException

        try:
            self._protocol.send_text(message)
        except WebSocketException:
            raise Broken("it closed the connection") from None
        self._flush(until)

    def receive(self, until: float) -> bytes:
        """The next message, put together from its frames."""
        from websockets.frames import Opcode

        held = bytearray()
        while True:
            while not self._frames:
                self._advance(until)
                self._take_in()
            frame = self._frames.pop(0)
            if frame.opcode is Opcode.CLOSE:
                raise Broken("it closed the connection")
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                held += frame.data
                if frame.fin:
                    return bytes(held)

    def close(self) -> None:
        """Hang up at once."""
        self._plug.close()

    def _shook_hands(self) -> bool:
        from websockets.protocol import State

        if self._protocol.state is State.CONNECTING:
            return False
        self._take_in()
        return True

    def _take_in(self) -> None:
        from websockets.frames import Frame

        self._frames += [event for event in self._protocol.events_received() if isinstance(event, Frame)]

    def _advance(self, until: float) -> None:
        from websockets.exceptions import PayloadTooBig

        self._protocol.receive_data(self._plug.receive(until))
        self._flush(until)
        if self._protocol.handshake_exc is not None:
            raise Broken("it is no websocket")
        if self._protocol.parser_exc is not None:
            too_big = isinstance(self._protocol.parser_exc, PayloadTooBig)
            raise Broken("its answer does not end" if too_big else "it is no websocket")

    def _flush(self, until: float) -> None:
        for data in self._protocol.data_to_send():
            if data:  # an empty piece stands for a goodbye, and we say none
                self._plug.send(data, until)


def _halves(path: str) -> tuple[str, str]:
    before, _, after = path.partition("?")
    return before, after


def _socket(server: Server, until: float) -> socket.socket:
    """A socket that is connected. Raises Broken. Each address of a host is tried; all of them have one deadline."""
    trouble = Broken("its host has no address")
    for family, kind, number, _, place in _addresses(server, until):
        left = until - time.monotonic()
        if left <= 0:
            raise Broken("no connection in time")
        line = socket.socket(family, kind, number)
        try:
            line.settimeout(left)
            line.connect(place)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return line
        except TimeoutError:
            line.close()
            trouble = Broken("no connection in time")
        except OSError as error:
            line.close()
            trouble = Broken(error.strerror or type(error).__name__)
    raise trouble


def _addresses(server: Server, until: float) -> list[Any]:
    """What the name server says, asked in a thread that is left behind when the time is up: it has no deadline."""
    found: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            found.set_result(socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM))
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=ask, name="electrum-name", daemon=True).start()
    try:
        return found.result(max(0.0, until - time.monotonic()))
    except TimeoutError:
        raise Broken("the name server did not answer in time") from None
    except (OSError, UnicodeError) as error:
        raise Broken(getattr(error, "strerror", "") or "its host has no address") from None
