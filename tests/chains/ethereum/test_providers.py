"""Several providers: who fails rests as long as he wants, the next one is asked, and a chain's own no is an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from valtrac.chains.ethereum.providers import LONGEST_REST_S, REST_S, Failover, NobodyAnswers

Answer = Callable[[httpx.Request], httpx.Response]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Network:
    """Providers by host, as they are now; asked: in which order; clock: seconds."""

    def __init__(self) -> None:
        self.hosts: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.clock = 0.0

    def failover(self, *hosts: str, stale_s: float | None = None) -> Failover:
        urls = [f"https://{host}/v3/secret" for host in hosts]
        made = Failover(urls, timeout_s=1, stale_s=stale_s, clock=lambda: self.clock, now=lambda: NOW)
        made._client = httpx.Client(transport=httpx.MockTransport(self._answer))
        return made

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        return self.hosts[request.url.host](request)


@pytest.fixture
def network() -> Iterator[Network]:
    yield Network()


def says(result: Any) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        many = asked if isinstance(asked, list) else [asked]
        told = [{"jsonrpc": "2.0", "id": each["id"], "result": result} for each in many]
        return httpx.Response(200, json=told if isinstance(asked, list) else told[0])

    return answer


def answers(status: int, body: Any, **headers: str) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(body, dict):
            return httpx.Response(status, json={"jsonrpc": "2.0", "id": 0, **body}, headers=headers)
        return httpx.Response(status, content=body, headers=headers)

    return answer


def raises(error: type[httpx.TransportError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("no")

    return answer


def limit(code: int = -32005, words: str = "daily request count exceeded") -> Answer:
    return answers(200, {"error": {"code": code, "message": words}})


def ask(failover: Failover, method: str = "eth_chainId", *params: Any) -> Any:
    return failover.make_request(method, list(params))  # type: ignore[arg-type]


FAILING: dict[str, Answer] = {
    "429": answers(429, b"", **{"Retry-After": "7"}),
    "500": answers(500, b"oops"),
    "401": answers(401, {"message": "no key"}),
    "limit": limit(),
    "limit in words": limit(-32097),
    "garbage": answers(200, b"<html>"),
    "no answer": answers(200, b"[]"),
    "half of one": answers(200, {"id": 1}),
    "refused": raises(httpx.ConnectError),
    "silent": raises(httpx.ReadTimeout),
    "closed": raises(httpx.RemoteProtocolError),
}


@pytest.mark.parametrize("name", sorted(FAILING))
def test_who_fails_rests_and_the_next_one_is_asked(network: Network, name: str) -> None:
    network.hosts = {"one": FAILING[name], "two": says("0x1")}
    failover = network.failover("one", "two")
    assert ask(failover)["result"] == "0x1"
    assert ask(failover)["result"] == "0x1"
    assert network.asked == ["one", "two", "two"]
    first = failover.providers[0]
    assert first.rests_until == (7.0 if name == "429" else REST_S) and first.words
    assert "secret" not in first.words and "secret" not in repr(first)


def test_a_rest_grows_with_each_failure_has_an_end_and_is_over_with_an_answer(network: Network) -> None:
    network.hosts = {"one": FAILING["500"], "two": says("0x1")}
    failover = network.failover("one", "two")
    rests = []
    for _ in range(10):
        ask(failover)
        rests.append(failover.providers[0].rests_until - network.clock)
        network.clock = failover.providers[0].rests_until + 0.1
    assert rests[:3] == pytest.approx([5, 10, 20]) and max(rests) <= LONGEST_REST_S
    network.hosts["one"] = says("0x2")
    assert ask(failover)["result"] == "0x2"
    assert (failover.providers[0].failures, failover.providers[0].rests_until) == (0, 0.0)


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("30", 30.0),
        ("Thu, 01 Jan 2026 12:02:00 GMT", 120.0),
        ("soon", REST_S),
        ("999999", LONGEST_REST_S),
        ("-5", REST_S),
    ],
)
def test_it_is_left_alone_for_as_long_as_it_says(network: Network, said: str, rest: float) -> None:
    network.hosts = {"one": answers(429, b"", **{"Retry-After": said}), "two": says("0x1")}
    failover = network.failover("one", "two")
    ask(failover)
    assert failover.providers[0].rests_until == rest


def test_when_all_rest_they_are_asked_all_the_same_and_the_error_names_each_without_keys(network: Network) -> None:
    network.hosts = {"one": FAILING["500"], "two": FAILING["429"]}
    failover = network.failover("one", "two")
    with pytest.raises(NobodyAnswers) as error:
        ask(failover)
    assert "one: HTTP 500" in str(error.value) and "two: it was asked too much" in str(error.value)
    assert "secret" not in str(error.value)
    network.hosts["one"] = says("0x1")
    assert ask(failover)["result"] == "0x1"


@pytest.mark.parametrize(
    "error",
    [
        {"code": 3, "message": "execution reverted: Price feed offline"},
        {"code": -32005, "message": "query returned more than 10000 results"},
        {"code": -32005, "message": "eth_getLogs is limited to a 10,000 block range"},
        {"code": -32000, "message": "nonce too low"},
    ],
)
def test_what_all_of_them_refuse_is_an_answer_and_a_revert_is_one_at_once(
    network: Network, error: dict[str, Any]
) -> None:
    network.hosts = {"one": answers(200, {"error": error}), "two": answers(200, {"error": error})}
    assert ask(network.failover("one", "two"))["error"] == error
    network.hosts["two"] = says("0x1")
    told = ask(network.failover("one", "two"))
    assert told["error"] == error if error["code"] == 3 else told["result"] == "0x1"
    sent = ask(network.failover("one", "two"), "eth_sendRawTransaction", "0x00")
    assert sent["error"] == error


def test_a_provider_whose_newest_block_is_old_is_left(network: Network) -> None:
    old, new = (NOW.timestamp() - 301, NOW.timestamp() - 20)
    network.hosts = {"one": says({"timestamp": hex(int(old))}), "two": says({"timestamp": hex(int(new))})}
    failover = network.failover("one", "two", stale_s=300)
    assert ask(failover, "eth_getBlockByNumber", "latest", False)["result"]["timestamp"] == hex(int(new))
    assert "301 s old" in failover.providers[0].words
    network.clock = 100
    ask(failover, "eth_getBlockByNumber", "0x1", False)
    assert network.asked == ["one", "two", "one"]  # an old block by its number is no sign of anything


def test_a_batch_comes_back_in_the_order_of_the_questions_each_once(network: Network) -> None:
    def turned(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        told = [{"jsonrpc": "2.0", "id": each["id"], "result": each["params"][0]} for each in asked]
        return httpx.Response(200, json=told[::-1])

    network.hosts = {"one": turned}
    failover = network.failover("one")
    asked: Any = [("eth_call", [number]) for number in range(5)]
    assert [each["result"] for each in failover.make_batch_request(asked)] == list(range(5))


@pytest.mark.parametrize("change", [lambda told: told[1:], lambda told: [told[0], told[0]], lambda told: told[0]])
def test_a_batch_with_answers_to_other_questions_is_no_answer(network: Network, change: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        told = [{"jsonrpc": "2.0", "id": each["id"], "result": "0x9"} for each in json.loads(request.content)]
        return httpx.Response(200, json=change(told))

    network.hosts = {"one": answer, "two": says("0x1")}
    asked: Any = [("eth_call", [1]), ("eth_call", [2])]
    told = network.failover("one", "two").make_batch_request(asked)
    assert [each["result"] for each in told] == ["0x1", "0x1"]


def test_a_redirection_is_not_followed(network: Network) -> None:
    network.hosts = {"one": answers(302, b"", Location="https://evil/"), "two": says("0x1"), "evil": says("0x666")}
    assert ask(network.failover("one", "two"))["result"] == "0x1"
    assert "evil" not in network.asked
