"""Addresses of nodes: as people may see them, for providers put a key into the path, the query or a login; and what is
weak about them. Pure."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from valtrac.core.text import is_plain

_URL = re.compile(r"\bwss?://[^\s\"'<>]+", re.IGNORECASE)
HIDDEN = "/..."
LOOPBACK = "localhost"
DEFAULT_PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443}
NONE = "none"  # in place of a second node: the owner goes on with one, and is not asked again


def shown(url: str) -> str:
    """The address of a node without anything that may be a key: its host and port. Anything else stays as it is."""
    return _URL.sub(lambda match: _host(match.group(0)), url)


def usable(url: str) -> str:
    """The address of a node as it was given. Raises ValueError in words that do not repeat it: it may hold a key."""
    if not url.startswith(("ws://", "wss://")):
        raise ValueError("must be a ws:// or wss:// URL")
    if "@" in unquote(url):
        raise ValueError("holds a login; an address is shown on screens and in logs, so use a node without one")
    if not is_plain(url) or any(map(str.isspace, url)):
        raise ValueError("holds a space or a letter that nobody sees; type it anew")
    try:
        host, port = (urlsplit(url).hostname or "").rstrip("."), urlsplit(url).port
    except ValueError:
        host, port = "", 0
    if not host or not host.isascii() or port == 0:
        raise ValueError("has no host, or no port that there can be; write it like wss://node.example:443")
    return url


def host_of(url: str) -> str:
    """The host of an address; "" where it has none, or a port that is none."""
    try:
        parts = urlsplit(url)
        return "" if parts.port == 0 else (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_on_this_machine(url: str) -> bool:
    """Whether nobody can sit between here and the node: its host is this machine's own loopback."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def can_be_altered(url: str) -> bool:
    """Whether whoever sits between here and the node can read and change what it answers: it is on another machine,
    and not encrypted."""
    return url.lower().startswith(("ws://", "http://")) and not is_on_this_machine(url)


def same_node(one: str, other: str) -> bool:
    """Whether two addresses lead to one host and port, whatever stands after them. Where each has the port that its
    scheme has anyway, encrypted or not, it is one node that answers in both ways."""
    try:
        (host, port, usual), (other_host, other_port, also_usual) = _place(one), _place(other)
    except ValueError:
        return one == other
    return host == other_host and (port == other_port or (usual and also_usual))


def _place(url: str) -> tuple[str, int, bool]:
    """(host, port, whether that is the one of its scheme). Raises ValueError where the port is none."""
    parts = urlsplit(url)
    usual = DEFAULT_PORTS.get(parts.scheme.lower(), 80)
    port = usual if parts.port is None else parts.port
    return _one_name((parts.hostname or "").rstrip(".")), port, port == usual


def _one_name(host: str) -> str:
    """A host in one spelling: every name of this machine's own loopback is the same."""
    if host == LOOPBACK or host.endswith("." + LOOPBACK):
        return LOOPBACK
    number = _number(host)
    if number is None:
        return host
    plain_number = getattr(number, "ipv4_mapped", None) or number
    own = plain_number.is_loopback or plain_number.is_unspecified
    return LOOPBACK if own else str(plain_number)


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The number that a host is, also as the system reads 127.1, 0x7f.1 and 017700000001; None for a name."""
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    with suppress(ValueError, OverflowError):
        *firsts, last = (
            int(part, 0 if part.startswith("0x") else 8 if part[:1] == "0" else 10) for part in host.split(".")
        )
        if len(firsts) < 4 and last < 256 ** (4 - len(firsts)):
            return ipaddress.IPv4Address(bytes(firsts) + last.to_bytes(4 - len(firsts), "big"))
    return None


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return f"{url.partition('://')[0]}://{HIDDEN}"
    bare = f"{parts.scheme}://{host}{port}"
    return bare if url.lower() in (bare, bare + "/") else bare + HIDDEN
