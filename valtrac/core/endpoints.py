"""Addresses of nodes: as people may see them, for providers put a key into the path, the query or a login; and what is
weak about them. Pure."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_URL = re.compile(r"\bwss?://[^\s\"'<>]+", re.IGNORECASE)
HIDDEN = "/..."
NONE = "none"  # in place of a second node: the owner goes on with one, and is not asked again


def shown(url: str) -> str:
    """The address of a node without anything that may be a key: its host and port. Anything else stays as it is."""
    return _URL.sub(lambda found: _host(found.group(0)), url)


def is_on_this_machine(url: str) -> bool:
    """Whether nobody can sit between here and the node: its host is this machine's own loopback."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def can_be_altered(url: str) -> bool:
    """Whether whoever sits between here and the node can read and change what it answers: ws:// to another machine."""
    return url.lower().startswith("ws://") and not is_on_this_machine(url)


def same_node(one: str, other: str) -> bool:
    """Whether two addresses lead to one host and port, whatever stands after them."""
    try:
        return _place(one) == _place(other)
    except ValueError:
        return one == other


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip("."), parts.port or (443 if parts.scheme.lower() == "wss" else 80)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return f"{url.partition('://')[0]}://{HIDDEN}"
    bare = f"{parts.scheme}://{host}{port}"
    return bare if url.lower() in (bare, bare + "/") else bare + HIDDEN
