"""Addresses of nodes as people may see them: providers put a key into the path, the query or a login."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_URL = re.compile(r"\bwss?://[^\s\"'<>]+", re.IGNORECASE)
HIDDEN = "/..."


def shown(url: str) -> str:
    """The address of a node without anything that may be a key: its host and port. Anything else stays as it is."""
    return _URL.sub(lambda found: _host(found.group(0)), url)


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return f"{url.partition('://')[0]}://{HIDDEN}"
    bare = f"{parts.scheme}://{host}{port}"
    return bare if url.lower() in (bare, bare + "/") else bare + HIDDEN
