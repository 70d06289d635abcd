"""Addresses of nodes as people may see them: no key, wherever a provider puts it."""

from __future__ import annotations

import pytest

from valtrac.core.endpoints import can_be_altered, same_node, shown
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


@pytest.mark.parametrize(
    ("url", "weak"),
    [
        ("ws://node.example:9944", True),
        ("WS://10.0.0.5", True),
        ("ws://127.0.0.1.example", True),
        ("ws://[2001:db8::1]:9944", True),
        ("ws://nobody:port", True),
        ("ws://127.0.0.1:9944", False),
        ("ws://127.8.9.1", False),
        ("ws://[::1]:9944", False),
        ("ws://localhost:9944", False),
        ("wss://node.example", False),
        ("", False),
    ],
)
def test_what_travels_unencrypted_to_another_machine_can_be_altered(url: str, weak: bool) -> None:
    assert can_be_altered(url) is weak


def test_a_node_is_the_same_whatever_key_stands_behind_its_address() -> None:
    assert same_node("wss://node.example/v1/KEY", "wss://NODE.example.:443/v2/OTHER")
    assert not same_node("wss://node.example", "wss://other.example")
    assert not same_node("wss://node.example:443", "wss://node.example:444")
    assert same_node("ws://node:port", "ws://node:port")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "node.localhost",
        "127.0.0.1",
        "127.8.9.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
    ],
)
def test_every_name_of_this_machine_is_one_host(host: str) -> None:
    assert same_node("ws://127.0.0.1:9944", f"ws://{host}:9944/key")
    assert not same_node("ws://127.0.0.1:9944", f"ws://{host}:9945")
    assert not same_node("ws://node.example:9944", f"ws://{host}:9944")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ws://node.example", "wss://node.example", True),
        ("ws://node.example:80", "wss://node.example:443/key", True),
        ("ws://node.example:443", "wss://node.example", True),
        ("ws://node.example:9944", "wss://node.example", False),
        ("ws://node.example:9944", "wss://node.example:9944", True),
        ("wss://[2001:db8::1]", "wss://[2001:db8:0::1]:443", True),
        ("ws://10.1", "ws://10.0.0.1", True),
        ("ws://10.0.0.1", "ws://10.0.0.2", False),
        ("ws://1.2.3.4.5", "ws://1.2.3.4", False),
    ],
)
def test_a_node_that_answers_encrypted_and_not_is_one(one: str, other: str, same: bool) -> None:
    assert same_node(one, other) is same
    assert same_node(other, one) is same
