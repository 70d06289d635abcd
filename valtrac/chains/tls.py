"""TLS over a socket that one thread reads while another one writes.

OpenSSL allows one call at a time within a session, and Python's own TLS socket leaves it to its callers to keep to
that. Whoever has a thread for reading breaks it with each write: a server's session tickets arrive while the first
request goes out, and now and then the request is lost, or the whole connection. Here the session works on memory, one
call at a time, and only the socket below it waits.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import threading
import time
from typing import cast

_PIECE = 65_536


class TlsContext:
    """What `websockets` takes for a context: certificates and the host's name are checked as the system does it."""

    def wrap_socket(self, line: socket.socket, *, server_hostname: str) -> socket.socket:
        """The connected socket, speaking TLS. Raises ssl.SSLError, ssl.SSLCertVerificationError and OSError."""
        return cast(socket.socket, TlsSocket(line, ssl.create_default_context(), server_hostname))


class TlsSocket:
    """The calls of a socket that a websocket makes. One thread may receive while another one sends."""

    def __init__(self, line: socket.socket, context: ssl.SSLContext, host: str) -> None:
        """Shake hands, within the time-out of the socket. Raises ssl.SSLError and OSError."""
        self._line = line
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._arrived, self._leaving, server_hostname=host)
        self._one_call = threading.Lock()  # within the session; nothing waits for the network while it is held
        self._sending = threading.Lock()  # what leaves the session goes to the socket in that order
        patience = line.gettimeout()
        until = math.inf if patience is None else time.monotonic() + patience
        try:
            while not self._shook_hands():
                self._flush()
                self._wait_no_longer_than(until)
                self._hear()
        except BaseException:
            with contextlib.suppress(OSError):
                self._flush()  # the other end hears why
            raise
        self._wait_no_longer_than(until)
        self._flush()
        line.settimeout(patience)

    def recv(self, size: int) -> bytes:
        """What has come, at most so many bytes; none where the other end hung up. Raises OSError."""
        while True:
            with self._one_call:
                try:
                    return self._session.read(size)
                except ssl.SSLWantReadError:
                    pass
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            self._flush(wait=False)
            self._hear()

    def sendall(self, data: bytes) -> None:
        """Hand over all of it. Raises OSError."""
        view = memoryview(data)
        with self._sending:
            while view:
                with self._one_call:
                    view = view[self._session.write(view[:_PIECE]) :]
                self._send_waiting()

    def settimeout(self, seconds: float | None) -> None:
        """How long one call of the socket below may wait."""
        self._line.settimeout(seconds)

    def shutdown(self, how: int) -> None:
        """Wake whoever waits for the socket."""
        self._line.shutdown(how)

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._line.close()

    def _wait_no_longer_than(self, until: float) -> None:
        """Give the next call of the socket below what is left of the time: each byte that trickles in would be given
        all of it again. Raises TimeoutError where nothing is left."""
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out while shaking hands")
        self._line.settimeout(None if math.isinf(left) else left)

    def _shook_hands(self) -> bool:
        try:
            self._session.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _hear(self) -> None:
        piece = self._line.recv(_PIECE)
        with self._one_call:
            if piece:
                self._arrived.write(piece)
            else:
                self._arrived.write_eof()

    def _flush(self, *, wait: bool = True) -> None:
        """Send what the session wants to say. Whoever reads does not wait for a writer who stands: the other end may
        be waiting for its own answers to be read."""
        if self._sending.acquire(blocking=wait):
            try:
                self._send_waiting()
            finally:
                self._sending.release()

    def _send_waiting(self) -> None:
        while True:
            with self._one_call:
                piece = self._leaving.read(_PIECE)
            if not piece:
                return
            self._line.sendall(piece)
