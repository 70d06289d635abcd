"""Addresses of nodes as people may see them: no key, wherever a provider puts it."""

from __future__ import annotations

import pytest

from valtrac.core.endpoints import shown
from valtrac.core.errors import ChainUnreachable


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("wss://entrypoint-finney.opentensor.ai:443", "wss://entrypoint-finney.opentensor.ai:443"),
        ("ws://127.0.0.1:9944/", "ws://127.0.0.1:9944"),
        ("wss://node.example/ws?apikey=SECRET", "wss://node.example/..."),
        ("wss://node.example:443/v1/0123456789abcdefSECRET", "wss://node.example:443/..."),
        ("wss://me:SECRET@node.example/ws", "wss://node.example/..."),
        ("WSS://node.example?SECRET", "wss://node.example/..."),
        ("ws://[::1]:9944/SECRET", "ws://[::1]:9944/..."),
        ("ws://node:port/SECRET", "ws:///..."),
        ("finney", "finney"),
        ("asked 'wss://a.b/SECRET' and wss://c.d in vain", "asked 'wss://a.b/...' and wss://c.d in vain"),
    ],
)
def test_an_address_is_shown_without_its_key(url: str, said: str) -> None:
    assert "SECRET" not in shown(url)
    assert shown(url) == said


def test_no_error_holds_the_key_of_a_node_whoever_wrote_its_words() -> None:
    url = "wss://node.example/SECRET"
    error = ChainUnreachable(f"{url} is away", why=f"HTTP 401 of {url}", fix=f"mend {url}", problems=[url])
    assert "SECRET" not in f"{error} {error.as_dict()}"
