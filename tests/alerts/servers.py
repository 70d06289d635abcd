"""Real servers on loopback: a mail server and a webhook, which remember what they took and fail when told to."""

from __future__ import annotations

import email
import http.server
import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

PASSWORD = "p@ss/w:rd-4711"


@dataclass
class Mails:
    """A mail server that wants a login. answer: what it says to a mail."""

    port: int = 0
    answer: str = "250 OK"
    taken: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.taken.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return self.answer

    def address(self, password: str = PASSWORD) -> str:
        from urllib.parse import quote

        login = f"user:{quote(password, safe='')}"
        return f"mailto://{login}@127.0.0.1:{self.port}?from=pool@example.com&to=ops@example.com&mode=insecure"


@dataclass
class Hook:
    """A webhook. answer: its status; hang: whether it answers at what has `slow` in its path."""

    port: int = 0
    answer: int = 200
    hanging: threading.Event = field(default_factory=threading.Event)
    hang: bool = False
    taken: list[dict[str, Any]] = field(default_factory=list)

    def address(self, path: str = "/hook/token-8899") -> str:
        return f"json://127.0.0.1:{self.port}{path}"


@contextmanager
def mails() -> Iterator[Mails]:
    """A mail server while the context lasts."""
    kept = Mails()

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", PASSWORD.encode())
        return AuthResult(success=right, handled=right)

    controller = Controller(
        kept, hostname="127.0.0.1", port=0, authenticator=login, auth_required=True, auth_require_tls=False
    )
    controller.port = _free_port()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a login without encryption: on loopback, in a test
        controller.start()
    kept.port = controller.port
    try:
        yield kept
    finally:
        controller.stop()


@contextmanager
def hook() -> Iterator[Hook]:
    """A webhook while the context lasts."""
    kept = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if kept.hang and "slow" in self.path:
                kept.hanging.wait(30)
            if kept.answer == 200:
                kept.taken.append({**body, "path": self.path})
            self.send_response(kept.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        kept.hanging.set()
        server.shutdown()
        server.server_close()


def _free_port() -> int:
    import socket

    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
