"""TLS over memory: the time for shaking hands is one time, however slowly the other end speaks."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from valtrac.chains.tls import TlsContext

RECORD = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb"  # the head of a long message that begins the handshake


def test_a_handshake_that_trickles_in_ends_with_its_time() -> None:
    over = threading.Event()

    def trickle() -> None:
        peer, _ = door.accept()
        with contextlib.suppress(OSError), peer:
            peer.sendall(RECORD)
            while not over.wait(0.05):
                peer.sendall(b"\0")

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=trickle, daemon=True).start()
        with socket.create_connection(door.getsockname()) as line:
            line.settimeout(0.4)
            threading.Timer(5, over.set).start()
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                TlsContext().wrap_socket(line, server_hostname="localhost")
            assert time.monotonic() - started < 3
        over.set()
