"""The Electrum server on ports of this machine: a line a message by TCP and TLS, a frame a message by websocket."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import socketserver
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server as WebsocketServer
from websockets.sync.server import ServerConnection
from websockets.sync.server import serve as listen

from valtrac.devnet.tbtc import electrum
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.electrum import Electrum, ElectrumError

_CUTS = ("lose_request", "close")


class _Cut(Exception):
    """The connection is to be closed."""


class _Session:
    """One connection, whatever carries it. send: hands a message over."""

    def __init__(self, server: ElectrumServer, send: Callable[[str], None]) -> None:
        self._server, self._send, self._lock = server, send, threading.Lock()
        self.subscribed = False

    def take(self, message: str | bytes) -> None:
        """Answer a message. Raises _Cut where the connection is to be closed instead."""
        try:
            asked = json.loads(message)
        except ValueError:
            self._say({"jsonrpc": "2.0", "error": {"code": -32700, "message": "invalid JSON"}, "id": None})
            return
        if isinstance(asked, list):
            answers = [one for one in map(self._answer, asked) if one is not None]
            self._say(answers)
        else:
            answer = self._answer(asked)
            if answer is not None:
                self._say(answer)

    def tell_tip(self, tip: dict[str, Any]) -> None:
        """The newest header, to who asked to be told."""
        if self.subscribed:
            self._say({"jsonrpc": "2.0", "method": electrum.TIP, "params": [tip]})

    def _answer(self, asked: dict[str, Any]) -> Any:
        method, params = str(asked.get("method")), list(asked.get("params") or [])
        self._server.log.append((method, params))
        struck = self._server.faults.strike(method)
        if struck.intersection(_CUTS):
            raise _Cut
        answer = {"jsonrpc": "2.0", "id": asked.get("id"), **self._outcome(method, params, struck)}
        if method == electrum.TIP:
            self.subscribed = True
        if "lose_reply" in struck:
            raise _Cut
        if "hang" in struck:
            return None
        if "garbage" in struck:
            return "<html>502 Bad Gateway</html>"
        return {**answer, "id": "another"} if "wrong_id" in struck else answer

    def _outcome(self, method: str, params: list[Any], struck: frozenset[str]) -> dict[str, Any]:
        if "error" in struck:
            return {"error": {"code": -32603, "message": "internal server error"}}
        if "busy" in struck:
            return {"error": {"code": -102, "message": "excessive resource usage"}}
        try:
            return {"result": self._server.view.answer(method, params, struck)}
        except ElectrumError as said:
            return {"error": {"code": said.code, "message": said.message}}

    def _say(self, message: Any) -> None:
        with self._lock:
            self._send(message if isinstance(message, str) else json.dumps(message))


class ElectrumServer:
    """Serves a chain until it is closed.

    urls: transport -> where. faults: how it misbehaves. log: the newest requests. certificate: of ssl and wss, as PEM;
    nobody has signed it, as is usual among Electrum servers.
    """

    def __init__(self, bitcoin: Bitcoin, transports: Sequence[str] = ("tcp",)) -> None:
        """transports: any of tcp, ssl, ws, wss."""
        self.faults = electrum.faults()
        self.view = Electrum(bitcoin, self.faults)
        self.log: deque[tuple[str, list[Any]]] = deque(maxlen=2_000)
        self.urls: dict[str, str] = {}
        self.certificate = ""
        self._bitcoin = bitcoin
        self._sessions: dict[_Session, Callable[[], None]] = {}
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []
        context = self._tls() if {"ssl", "wss"}.intersection(transports) else None
        for name in transports:
            secure = context if name in ("ssl", "wss") else None
            port = self._websocket(secure) if name.startswith("ws") else self._lines(secure)
            self.urls[name] = f"{name}://127.0.0.1:{port}"
        bitcoin.on_block.append(self._tell)

    @property
    def url(self) -> str:
        """Where, by the first of its transports."""
        return next(iter(self.urls.values()))

    def misbehave(self, **named: Any) -> None:
        """electrum.FAULTS says how."""
        self.faults.set(**named)

    def close(self) -> None:
        """Stop listening and drop every connection. Twice does no harm."""
        with suppress(ValueError):
            self._bitcoin.on_block.remove(self._tell)
        self.drop()
        while self._stops:
            self._stops.pop()()

    def drop(self) -> None:
        """Close the connections that are open; new ones are taken."""
        with self._lock:
            cuts = list(self._sessions.values())
        for cut in cuts:
            with suppress(OSError):
                cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def session(self, send: Callable[[str], None], cut: Callable[[], None]) -> _Session:
        """A new connection."""
        made = _Session(self, send)
        with self._lock:
            self._sessions[made] = cut
        return made

    def ended(self, session: _Session) -> None:
        """It is no more."""
        with self._lock:
            self._sessions.pop(session, None)

    def _tell(self) -> None:
        tip = self.view.tip()
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            with suppress(OSError, ConnectionClosed):
                session.tell_tip(tip)

    def _lines(self, context: ssl.SSLContext | None) -> int:
        server = _LineServer(self, context)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="electrum", daemon=True)
        thread.start()
        self._stops += [server.server_close, server.shutdown]
        return int(server.server_address[1])

    def _websocket(self, context: ssl.SSLContext | None) -> int:
        def serve(connection: ServerConnection) -> None:
            session = self.session(connection.send, connection.socket.close)
            try:
                for message in connection:
                    session.take(message)
            except (_Cut, ConnectionClosed, OSError):
                connection.close()
            finally:
                self.ended(session)

        server: WebsocketServer = listen(
            serve, "127.0.0.1", 0, ssl=context, ping_interval=None, close_timeout=0.2, compression=None
        )
        threading.Thread(target=server.serve_forever, name="electrum", daemon=True).start()
        self._stops.append(server.shutdown)
        return int(server.socket.getsockname()[1])

    def _tls(self) -> ssl.SSLContext:
        self.certificate, key = _self_signed()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:  # the library reads files only
            both = Path(folder) / "both.pem"
            both.write_text(self.certificate + key, encoding="ascii")
            context.load_cert_chain(both)
        return context


class _LineServer(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True
    block_on_close = False

    def __init__(self, owner: ElectrumServer, context: ssl.SSLContext | None) -> None:
        self.owner, self.context = owner, context
        super().__init__(("127.0.0.1", 0), _LineHandler)


class _LineHandler(socketserver.BaseRequestHandler):
    server: _LineServer

    def handle(self) -> None:
        line: socket.socket = self.request
        if self.server.context is not None:
            try:
                line = self.server.context.wrap_socket(line, server_side=True)
            except (ssl.SSLError, OSError):
                return
        session = self.server.owner.session(
            lambda text: line.sendall(text.encode() + b"\n"), lambda: line.shutdown(socket.SHUT_RDWR)
        )
        try:
            with line.makefile("rb") as lines:
                for message in lines:
                    session.take(message)
        except (_Cut, OSError):
            pass
        finally:
            self.server.owner.ended(session)
            line.close()


def _self_signed() -> tuple[str, str]:
    """A certificate for this machine, and its key, both as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()
