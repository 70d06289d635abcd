"""JSON-RPC over websockets against a node that does what a test tells it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection
from websockets.sync.server import ServerConnection, serve

from valtrac.chains.bitshares.rpc import DATABASE, Rpc, RpcError
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused

CHAIN = "ab" * 32
AMPLE_S = 30  # for what is answered at once, however busy the machine is


class Node:
    """Answers get_chain_properties; echoes the arguments of everything else, unless `act` does something else."""

    def __init__(self, chain_id: str = CHAIN) -> None:
        self.chain_id = chain_id
        self.asked: list[str] = []
        self.connections = 0
        self.url = ""
        self.act: Callable[[ServerConnection, dict[str, Any]], bool] = lambda connection, request: False

    def serve_one(self, connection: ServerConnection) -> None:
        self.connections += 1
        try:
            for text in connection:
                request = json.loads(text)
                self.asked.append(request["params"][1])
                if not self.act(connection, request):
                    connection.send(json.dumps({"id": request["id"], "result": self.result(request)}))
        except Exception:
            connection.socket.close()

    def result(self, request: dict[str, Any]) -> Any:
        _, method, args = request["params"]
        return {"chain_id": self.chain_id} if method == "get_chain_properties" else args

    def only(self, method: str, act: Callable[[ServerConnection, dict[str, Any]], object]) -> None:
        """Do this instead of answering that method."""

        def chosen(connection: ServerConnection, request: dict[str, Any]) -> bool:
            if request["params"][1] != method:
                return False
            act(connection, request)
            return True

        self.act = chosen


@contextmanager
def running(node: Node) -> Iterator[Node]:
    with serve(node.serve_one, "127.0.0.1", 0, ping_interval=None) as server:
        node.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield node
        server.shutdown()


@pytest.fixture
def node() -> Iterator[Node]:
    with running(Node()) as made:
        yield made


@pytest.fixture
def second() -> Iterator[Node]:
    with running(Node()) as made:
        yield made


@pytest.fixture
def rpc(node: Node) -> Iterator[Rpc]:
    made = Rpc([node.url], AMPLE_S)
    yield made
    made.close()


def hang_up(connection: ServerConnection, request: Any) -> None:
    connection.socket.shutdown(socket.SHUT_RDWR)


def test_it_connects_with_the_first_question_and_asks_for_the_chain_once(node: Node, rpc: Rpc) -> None:
    assert node.connections == 0
    assert [rpc.call(DATABASE, "echo", n) for n in range(3)] == [[0], [1], [2]]
    assert (node.asked, node.connections) == (["get_chain_properties", "echo", "echo", "echo"], 1)


def test_the_nodes_error_comes_with_its_code_and_words_and_is_asked_of_no_other(node: Node, second: Node) -> None:
    def refuse(connection: ServerConnection, request: dict[str, Any]) -> None:
        connection.send(json.dumps({"id": request["id"], "error": {"code": 10, "message": "no such thing\x1b"}}))

    node.only("echo", refuse)
    rpc = Rpc([node.url, second.url], AMPLE_S)
    with pytest.raises(RpcError, match="no such thing·") as error:
        rpc.call(DATABASE, "echo")
    assert (error.value.code, second.asked) == (10, [])
    assert rpc.call(DATABASE, "other") == []
    assert node.connections == 1


def test_a_reply_with_another_id_is_passed_over(node: Node, rpc: Rpc) -> None:
    def confused(connection: ServerConnection, request: dict[str, Any]) -> None:
        for other in (request["id"] + 1_000, None, "x", request["id"] - 1):
            connection.send(json.dumps({"id": other, "result": "wrong"}))
        connection.send(json.dumps({"method": "notice", "params": []}))
        connection.send(json.dumps({"id": request["id"], "result": "right"}))

    node.only("echo", confused)
    assert rpc.call(DATABASE, "echo") == "right"


def test_replies_that_nobody_asked_for_are_passed_over_only_so_often(node: Node, rpc: Rpc) -> None:
    def babble(connection: ServerConnection, request: dict[str, Any]) -> None:
        while True:
            connection.send(json.dumps({"id": 10**9, "result": 1}))

    node.only("echo", babble)
    with pytest.raises(ChainUnreachable) as unreachable:
        rpc.call(DATABASE, "echo")
    assert "nobody asked for" in unreachable.value.why


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", "5", "{", b"\xff\xfe", '{"id": %d}', '{"id": %d, "error": 5}', '{"id": %d, "error": {}}']
)
def test_garbage_is_no_answer(node: Node, rpc: Rpc, text: str | bytes) -> None:
    node.only("echo", lambda c, r: c.send(text % r["id"] if "%d" in str(text) else text))

    with pytest.raises(ChainUnreachable):
        rpc.call(DATABASE, "echo")
    node.act = lambda *_: False
    assert rpc.call(DATABASE, "echo", 1) == [1]


def pinging(connection: ServerConnection, request: Any) -> None:
    while True:
        connection.ping()
        time.sleep(0.05)


def trickling(connection: ServerConnection, request: Any) -> None:
    for _ in range(3_000):
        connection.socket.sendall(b"\x81\x7e\x10\x00"[:1] if _ == 0 else b"\x7e" if _ == 1 else b" ")
        time.sleep(0.02)


def silent(connection: ServerConnection, request: Any) -> None:
    time.sleep(60)


@pytest.mark.parametrize("act", [pinging, trickling, silent])
def test_neither_pings_nor_a_trickle_nor_silence_stretch_the_deadline(
    node: Node, act: Callable[[ServerConnection, dict[str, Any]], bool]
) -> None:
    node.only("echo", act)
    rpc = Rpc([node.url], 0.4)
    started = time.monotonic()
    with pytest.raises(ChainUnreachable, match=r"within 0\.4 s"):
        rpc.call(DATABASE, "echo")
    with pytest.raises(OutcomeUnknown):
        rpc.call_once("network_broadcast", "echo", b"{}")
    assert time.monotonic() - started < AMPLE_S


@pytest.mark.parametrize("slow", [True, False])
def test_a_handshake_that_never_ends_does_not_hang(slow: bool) -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            peer, _ = listener.accept()
            while slow:
                try:
                    peer.sendall(b"H")
                except OSError:
                    return
                time.sleep(0.02)
            over.wait(60)
            peer.close()

        threading.Thread(target=accept, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(ChainUnreachable):
            Rpc([f"ws://127.0.0.1:{listener.getsockname()[1]}"], 0.4).call(DATABASE, "echo")
        assert time.monotonic() - started < AMPLE_S
        over.set()


def test_a_redirect_is_not_followed(node: Node) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            peer, _ = listener.accept()
            peer.recv(4096)
            peer.sendall(f"HTTP/1.1 302 Found\r\nlocation: {node.url}\r\n\r\n".encode())

        threading.Thread(target=accept, daemon=True).start()
        with pytest.raises(ChainUnreachable):
            Rpc([f"ws://127.0.0.1:{listener.getsockname()[1]}"], AMPLE_S).call(DATABASE, "echo")
    assert node.connections == 0


def test_dead_nodes_are_skipped_and_the_one_that_works_is_kept(node: Node, second: Node) -> None:
    rpc = Rpc(["ws://127.0.0.1:1", "ws://127.0.0.1:2", node.url, second.url], AMPLE_S)
    assert [rpc.call(DATABASE, "echo", n) for n in range(5)] == [[n] for n in range(5)]
    assert (node.connections, second.connections) == (1, 0)


def test_every_node_is_tried_at_most_once_in_a_call(node: Node, second: Node) -> None:
    for one in (node, second):
        one.only("echo", hang_up)
    rpc = Rpc([node.url, second.url], AMPLE_S)
    with pytest.raises(ChainUnreachable) as unreachable:
        rpc.call(DATABASE, "echo")
    assert (node.asked.count("echo"), second.asked.count("echo")) == (1, 1)
    assert unreachable.value.why.count("127.0.0.1") == 2


def test_one_node_that_is_silent_leaves_time_for_the_next(node: Node, second: Node) -> None:
    node.only("echo", silent)
    assert Rpc([node.url, second.url], 6).call(DATABASE, "echo", 7) == [7]


def test_a_connection_that_broke_meanwhile_is_opened_anew(node: Node, rpc: Rpc) -> None:
    rpc.call(DATABASE, "echo")
    kept = rpc._link
    assert kept is not None
    assert isinstance(kept._connection, ClientConnection)
    kept._connection.socket.shutdown(socket.SHUT_RDWR)
    assert rpc.call(DATABASE, "echo", 1) == [1]
    assert node.connections == 2


def test_an_idle_connection_is_asked_for_its_chain_before_it_is_trusted(node: Node) -> None:
    rpc = Rpc([node.url], AMPLE_S, heartbeat_s=0.05)
    rpc.call(DATABASE, "echo")
    time.sleep(0.1)
    node.chain_id = "cd" * 32
    with pytest.raises(ChainUnreachable, match="no node answered") as wrong:
        rpc.call(DATABASE, "echo")
    assert "another chain" in wrong.value.why
    assert node.asked.count("echo") == 1


def test_a_node_of_another_chain_is_not_used(node: Node, second: Node) -> None:
    node.chain_id = "cd" * 32
    rpc = Rpc([node.url, second.url], AMPLE_S, expect_chain_id=CHAIN)
    assert rpc.call(DATABASE, "echo", 1) == [1]
    assert "echo" not in node.asked


def test_a_broadcast_goes_out_once_byte_by_byte(node: Node, rpc: Rpc) -> None:
    seen = []

    def taken(connection: ServerConnection, request: dict[str, Any]) -> None:
        seen.append(request["params"])
        connection.send(json.dumps({"id": request["id"], "result": None}))

    node.only("send", taken)
    rpc.call_once("network_broadcast", "send", b'{"z":1,"a":"5%"}')
    assert seen == [["network_broadcast", "send", [{"z": 1, "a": "5%"}]]]


@pytest.mark.parametrize("answer", [{"result": 5}, {}, {"error": 7}, {"error": {"code": -32603, "message": "gateway"}}])
def test_after_a_broadcast_anything_but_a_clean_reply_is_unknown(
    node: Node, second: Node, answer: dict[str, Any]
) -> None:
    node.only("send", lambda c, r: c.send(json.dumps({"id": r["id"], **answer})))
    with pytest.raises(OutcomeUnknown) as unknown:
        Rpc([node.url, second.url], AMPLE_S).call_once("network_broadcast", "send", b"{}")
    assert unknown.value.moved == "unknown"
    assert (node.asked.count("send"), second.asked) == (1, [])


def test_a_broadcast_whose_connection_breaks_is_sent_to_no_other(node: Node, second: Node) -> None:
    node.only("send", hang_up)
    with pytest.raises(OutcomeUnknown):
        Rpc([node.url, second.url], AMPLE_S).call_once("network_broadcast", "send", b"{}")
    assert (node.asked.count("send"), second.asked) == (1, [])


@pytest.mark.parametrize("code", [10, 3030008, -32601])
def test_a_broadcast_is_refused_in_the_nodes_words(node: Node, rpc: Rpc, code: int) -> None:
    answer = {"error": {"code": code, "message": "expired\x1b[2J"}}
    node.only("send", lambda c, r: c.send(json.dumps({"id": r["id"], **answer})))
    with pytest.raises(Refused) as refused:
        rpc.call_once("network_broadcast", "send", b"{}")
    assert refused.value.why == "expired·[2J"


def test_a_broadcast_avoids_a_node_that_is_gone(node: Node, second: Node) -> None:
    second.only("send", lambda c, r: c.send(json.dumps({"id": r["id"], "result": None})))
    Rpc(["ws://127.0.0.1:1", second.url], AMPLE_S).call_once("network_broadcast", "send", b"{}")
    assert second.asked.count("send") == 1


def test_a_stream_is_in_order_whatever_the_order_of_the_replies(node: Node, rpc: Rpc) -> None:
    held: list[tuple[ServerConnection, dict[str, Any]]] = []

    def backwards(connection: ServerConnection, request: dict[str, Any]) -> None:
        held.append((connection, request))
        if len(held) == 8 or request["params"][2] == [39]:
            for one, asked in reversed(held):
                one.send(json.dumps({"id": asked["id"], "result": asked["params"][2]}))
            held.clear()

    node.only("echo", backwards)
    assert list(rpc.stream("echo", ((n,) for n in range(40)), window=16)) == [[n] for n in range(40)]


def test_a_stream_goes_on_with_the_next_node_and_loses_nothing(node: Node, second: Node) -> None:
    def tired(connection: ServerConnection, request: dict[str, Any]) -> None:
        if request["params"][2] == [25]:
            hang_up(connection, request)
        else:
            connection.send(json.dumps({"id": request["id"], "result": request["params"][2]}))

    node.only("echo", tired)
    rpc = Rpc([node.url, second.url], AMPLE_S)
    assert list(rpc.stream("echo", ((n,) for n in range(100)), window=8)) == [[n] for n in range(100)]


def test_a_stream_that_is_left_early_disturbs_nobody(node: Node, rpc: Rpc) -> None:
    for _ in range(50):
        assert next(iter(rpc.stream("echo", ((n,) for n in range(1_000))))) == [0]
    assert rpc.call(DATABASE, "echo", "x") == ["x"]
    assert rpc._link is not None
    assert len(rpc._link._awaited) == len(rpc._link._answered) == 0


def test_two_streams_and_calls_share_one_connection(node: Node, rpc: Rpc) -> None:
    one = rpc.stream("echo", ((n,) for n in range(50)), window=8)
    two = rpc.stream("echo", ((-n,) for n in range(50)), window=8)
    for n, (left, right) in enumerate(zip(one, two, strict=True)):
        assert (left, right, rpc.call(DATABASE, "echo", "x")) == ([n], [-n], ["x"])
    assert node.connections == 1


def test_several_threads_take_turns(node: Node, rpc: Rpc) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: rpc.call(DATABASE, "echo", n), range(80))) == [[n] for n in range(80)]
    assert node.connections == 1


def test_nobody_answers_after_closing(node: Node, rpc: Rpc) -> None:
    rpc.call(DATABASE, "echo")
    rpc.close()
    rpc.close()
    with pytest.raises(ChainUnreachable, match="closed"):
        rpc.call(DATABASE, "echo")
    with pytest.raises(OutcomeUnknown):
        rpc.call_once("network_broadcast", "send", b"{}")
