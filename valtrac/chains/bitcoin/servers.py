"""The address of an Electrum server, as the owner writes it. Pure.

`ssl://host:50002` has its certificate checked as a browser would. Many servers have one that they signed themselves:
`ssl://host:50002#sha256=<64 hex digits>` takes that certificate and no other. `tcp` and `ws` are read and changed by
whoever sits in between; what money depends on is proven, but a proof can be kept back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from valtrac.core.errors import BadInput
from valtrac.core.text import is_plain

PORTS = {"tcp": 50001, "ssl": 50002, "ws": 50003, "wss": 50004}
_PIN = re.compile(r"sha256=([0-9a-fA-F]{64})")
_FIX = "write it like ssl://electrum.example:50002, with tcp, ssl, ws or wss in front"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is. path: of a websocket, and it may hold a key; pin: sha256 of its certificate, or b""."""

    scheme: str
    host: str
    port: int
    path: str
    pin: bytes

    @property
    def name(self) -> str:
        """The server as it may be shown: without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody in between can read or change what it says."""
        return self.scheme in ("ssl", "wss")

    @property
    def is_websocket(self) -> bool:
        """Whether it speaks in websocket messages rather than in lines."""
        return self.scheme in ("ws", "wss")


def server(url: str, *, field: str = "the Bitcoin server") -> Server:
    """A server by its URL. field: what the owner calls it. Raises BadInput, which does not repeat the URL: it may hold
    a key."""
    text = url.strip()
    if not is_plain(text) or any(map(str.isspace, text)):
        raise BadInput(f"{field} holds a space or a letter that nobody sees", fix="type it anew")
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise BadInput(f"{field} is no address of a server", fix=_FIX) from None
    if parts.scheme not in PORTS or not host or not host.isascii() or port == 0:
        raise BadInput(f"{field} is no address of a server", fix=_FIX)
    if "@" in unquote(text):
        raise BadInput(f"{field} holds a login", why="Electrum servers have none", fix=_FIX)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if parts.scheme in ("tcp", "ssl") and path.strip("/"):
        raise BadInput(f"{field} has something after its port", fix=_FIX)
    found = Server(parts.scheme, host, PORTS[parts.scheme] if port is None else port, path or "/", b"")
    return _pinned(found, parts.fragment, field) if parts.fragment else found


def servers(urls: list[str], *, field: str = "the Bitcoin servers") -> tuple[Server, ...]:
    """Several servers, in the order in which they are asked. Raises BadInput: none, one that is none, or one twice."""
    found = tuple(server(url, field=field) for url in urls if url.strip())
    if not found:
        raise BadInput(f"{field}: none is named", fix=_FIX)
    names = [(one.host, one.port) for one in found]
    if len(set(names)) < len(names):
        raise BadInput(f"{field}: one is named twice", why="a server cannot confirm itself", fix="name another one")
    return found


def _pinned(found: Server, fragment: str, field: str) -> Server:
    pin = _PIN.fullmatch(fragment)
    if pin is None or not found.is_encrypted:
        raise BadInput(
            f"{field} has a fingerprint that cannot be used",
            why="" if found.is_encrypted else f"{found.scheme} shows no certificate",
            fix="write it as ssl://host:50002#sha256= and the 64 hex digits of the certificate's sha256",
        )
    return Server(found.scheme, found.host, found.port, found.path, bytes.fromhex(pin.group(1)))
