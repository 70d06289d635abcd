"""The node on a port of this machine: JSON-RPC over HTTP, one thread for each connection, a cookie as the login."""

from __future__ import annotations

import base64
import binascii
import fcntl
import hmac
import os
import secrets
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from valtrac.core.errors import ChainUnreachable
from valtrac.devnet.qtum import control, faults, process, rpc, state, wallet
from valtrac.devnet.qtum.answering import Answer, HungUp, NoAnswer, answered

COOKIE = ".cookie"
LOG_LENGTH = 10_000
_LONGEST_BODY = 32_000_000
_LOCK_PATIENCE_S = 0.3


class Server:
    """A node that serves its directory until it is closed. url, port: where; log: the newest requests, as they came.

    A start locks the wallets, forgets locks of coins that do not last, and writes a new cookie beside the data; a
    clean stop takes the cookie away. One server at a time: ChainUnreachable while another serves the directory.
    rpcuser and rpcpassword among the node's options are a second login. pace_s: make a block, by whoever wins, each
    so many seconds; None leaves that to `produce`.
    """

    def __init__(self, directory: Path | str, *, port: int = 0, pace_s: float | None = None) -> None:
        self.directory = Path(directory)
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)
        rpc.load()
        db = state.connect(self.directory)
        self.chain = Path(state.setting(db, "mirror_of") or self.directory)
        self._lock = _locked(self.directory)
        (self.directory / process.NOTE).unlink(missing_ok=True)  # of one that was killed
        try:
            if self.chain == self.directory:
                with state.writing(db):
                    wallet.started(db, forget_pool=faults.active_flag(db, "forget_pool"))
            self.cookie = f"__cookie__:{secrets.token_hex(32)}"
            self._httpd = _Httpd(("127.0.0.1", port), _Handler)
            self._httpd.node = self
            _write_cookie(self.directory / COOKIE, self.cookie)
        except BaseException:
            os.close(self._lock)
            raise
        self.port = int(self._httpd.server_address[1])
        process.written_down(self.directory, self.port)
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.02,), name="qtumd", daemon=True)
        self._thread.start()
        self._closed = False
        self._ended = threading.Event()
        self._pacer = threading.Thread(target=self._make_blocks, args=(pace_s,), name="qtumd blocks", daemon=True)
        if pace_s is not None:
            self._pacer.start()

    def _make_blocks(self, pace_s: float) -> None:
        while not self._ended.wait(pace_s):
            control.produce(self.chain)
        state.disconnect()

    def close(self) -> None:
        """Stop listening and drop every connection. Twice does no harm."""
        if self._closed:
            return
        self._closed = True
        self._ended.set()
        if self._pacer.is_alive():
            self._pacer.join(5)
        self._httpd.shutdown()
        self._httpd.cut()
        self._httpd.server_close()
        self._thread.join(5)
        if self.chain == self.directory:
            db = state.connect(self.directory)
            with state.writing(db):
                wallet.stopped(db)
        for left in (COOKIE, process.NOTE):
            (self.directory / left).unlink(missing_ok=True)
        os.close(self._lock)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def may_enter(self, header: str) -> bool:
        """Whether a login is good."""
        try:
            given = base64.b64decode(header.removeprefix("Basic ").strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        flags = state.flags(state.connect(self.chain))
        logins = [self.cookie.encode()]
        if flags["rpcuser"] and flags["rpcpassword"]:
            logins.append(f"{flags['rpcuser']}:{flags['rpcpassword']}".encode())
        return header.startswith("Basic ") and any(hmac.compare_digest(given, login) for login in logins)


def _locked(directory: Path) -> int:
    """The directory's lock. Others hold it for a moment when they look whether a node runs: one tries again."""
    handle = os.open(directory / process.LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() < until:
                time.sleep(0.01)
                continue
            os.close(handle)
            raise ChainUnreachable(
                f"cannot obtain a lock on data directory {directory}", why="qtumd is probably already running"
            ) from None
        return handle


def _write_cookie(path: Path, cookie: str) -> None:
    fresh = path.with_name(path.name + ".tmp")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(cookie)
    fresh.replace(path)


class _Httpd(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    node: Server

    def __init__(self, *args: Any) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(*args)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.open.discard(request)
            state.disconnect()

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""

    def cut(self) -> None:
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Httpd

    def log_message(self, *_: Any) -> None:
        """Nothing on the screen."""

    def do_GET(self) -> None:
        self._reply(Answer(405, b"JSONRPC server handles only POST requests", "text/plain"))

    def do_POST(self) -> None:
        try:
            self._post()
        except (HungUp, OSError):
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def _post(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if 0 <= length <= _LONGEST_BODY else b""
        try:
            self._reply(answered(self.server.node, self.path, self.headers.get("Authorization"), body))
        except NoAnswer:
            while self.connection.recv(1024):
                pass
            raise HungUp from None

    def _reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        sizes = {"Content-Type": answer.kind, "Content-Length": str(len(answer.body))}
        for name, value in {**sizes, **answer.more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)
