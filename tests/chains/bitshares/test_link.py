"""One connection to a node: a deadline that holds whatever comes, and bounds on what is read."""

from __future__ import annotations

import json
import math
import socket
import threading
import time
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from tests.chains.bitshares.link_world import LONG_S, asked, echo, listener, node, opened, refusal
from valtrac.chains.bitshares import link as links
from valtrac.chains.bitshares.link import LinkError


def test_what_is_asked_goes_out_as_text_and_is_answered() -> None:
    kinds: list[type] = []

    def act(connection: ServerConnection) -> None:
        text = connection.recv()
        kinds.append(type(text))
        connection.send(json.dumps({"id": json.loads(text)["id"], "result": 7}).encode())

    with node(act) as url, opened(url) as link:
        assert asked(link, LONG_S) == 7
    assert kinds == [str]


def test_a_name_server_that_is_silent_does_not_stretch_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    started = time.monotonic()
    with pytest.raises(LinkError) as late, opened("ws://node.example", 0.3):
        pass
    over.set()
    assert late.value.timed_out
    assert time.monotonic() - started < LONG_S


def test_a_host_of_many_addresses_is_not_given_the_whole_time_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address] * 1_000)

    def hanging(self: socket.socket, _: object) -> None:
        time.sleep(self.gettimeout() or 0)
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", hanging)
    started = time.monotonic()
    with pytest.raises(LinkError) as late, opened("ws://node.example", 0.3):
        pass
    assert late.value.timed_out
    assert time.monotonic() - started < LONG_S


def test_a_connection_that_comes_too_late_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    really = links._connection

    def slow(url: str, until: float) -> Any:
        time.sleep(0.5)
        made = really(url, until + LONG_S)
        close = made.close_socket

        def closing() -> None:
            close()
            let_go.set()

        monkeypatch.setattr(made, "close_socket", closing)
        return made

    monkeypatch.setattr(links, "_connection", slow)
    with node(echo) as url:
        assert refusal(url, 0.1) == "no reply in time"
        assert let_go.wait(LONG_S)


def test_a_handshake_that_comes_byte_by_byte_ends_with_the_deadline() -> None:
    def trickle(peer: socket.socket) -> None:
        for byte in b"HTTP/1.1 101 Switching Protocols\r\nserver: " + b"x" * 1_000:
            peer.sendall(bytes([byte]))
            time.sleep(0.02)

    with listener(trickle) as url:
        assert refusal(url, 0.3) == "no reply in time"


def test_a_tls_handshake_that_comes_byte_by_byte_ends_with_the_deadline() -> None:
    def trickle(peer: socket.socket) -> None:
        for byte in b"\x16\x03\x03\x3f\xff" + b"\x02" * 1_000:
            peer.sendall(bytes([byte]))
            time.sleep(0.02)

    with listener(trickle) as url:
        assert refusal(url.replace("ws:", "wss:"), 0.3) == "no reply in time"


def test_a_node_that_reads_nothing_does_not_hold_up_who_writes_to_it() -> None:
    over = threading.Event()
    with node(lambda connection: over.wait(60), max_queue=1) as url, opened(url) as link:
        started = time.monotonic()
        with pytest.raises(LinkError) as late:
            for number in range(10_000):
                link.send(number, b'["%s"]' % (b"x" * 1_000_000), started + 0.5)
        over.set()
        assert late.value.timed_out
        assert time.monotonic() - started < LONG_S


def test_a_node_that_pings_and_reads_no_pong_does_not_hold_up_who_writes_to_it() -> None:
    over = threading.Event()

    def act(connection: ServerConnection) -> None:
        frame = b"\x89\x7d" + b"x" * 125
        while not over.is_set():
            connection.socket.sendall(frame * 500)

    with node(act, max_queue=1) as url, opened(url) as link:
        time.sleep(0.3)  # the pongs fill what the two ends keep for each other
        started = time.monotonic()
        with pytest.raises(LinkError):
            for number in range(10_000):
                link.send(number, b'["%s"]' % (b"x" * 1_000_000), started + 0.5)
        over.set()
        assert time.monotonic() - started < LONG_S


def test_a_write_in_time_is_not_cut_afterwards() -> None:
    with node(echo) as url, opened(url) as link:
        assert asked(link, LONG_S) == [1]
        link.send(2, b"[2]", time.monotonic() + 0.2)
        time.sleep(0.4)
        assert link.receive(2, time.monotonic() + LONG_S) == [2]


def test_after_closing_nobody_watches_any_more() -> None:
    def threads() -> set[threading.Thread]:
        return {thread for thread in threading.enumerate() if thread.name == "link-guard"}

    before = threads()
    with node(echo) as url, opened(url) as link:
        asked(link, LONG_S)
        (guard,) = threads() - before
        link.close()
        link._guard.expect(math.inf)
        guard.join(LONG_S)
        assert not guard.is_alive()


def test_who_waits_is_told_when_another_thread_closes() -> None:
    over = threading.Event()
    with node(lambda connection: over.wait(60)) as url, opened(url) as link:
        threading.Timer(0.2, link.close).start()
        with pytest.raises(LinkError, match="closed"):
            asked(link, LONG_S * 2)
        over.set()


def test_a_node_that_says_goodbye_is_known_at_once_and_not_for_late() -> None:
    with node(lambda connection: connection.recv()) as url, opened(url) as link:
        with pytest.raises(LinkError, match="closed the connection") as gone:
            asked(link, LONG_S)
        assert not gone.value.timed_out


def test_a_goodbye_that_is_not_meant_is_not_waited_for() -> None:
    over = threading.Event()

    def act(connection: ServerConnection) -> None:
        connection.recv()
        connection.socket.sendall(b"\x88\x02\x03\xe8")
        over.wait(60)

    with node(act) as url, opened(url) as link:
        started = time.monotonic()
        with pytest.raises(LinkError, match="closed the connection"):
            asked(link, LONG_S * 2)
        over.set()
        assert time.monotonic() - started < LONG_S


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_message_that_is_too_long_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    monkeypatch.setattr(links, "MOST_BYTES", 100_000)

    def act(connection: ServerConnection) -> None:
        connection.recv()
        whole = json.dumps({"id": 1, "result": "x" * 200_000})
        step = len(whole) // pieces
        connection.send(whole[at : at + step] for at in range(0, len(whole), step))

    with node(act) as url, opened(url) as link, pytest.raises(LinkError, match="does not end"):
        asked(link, LONG_S)


def test_a_frame_that_says_it_is_huge_is_refused_at_its_head() -> None:
    over = threading.Event()

    def act(connection: ServerConnection) -> None:
        connection.recv()
        connection.socket.sendall(b"\x81\x7f" + (1 << 40).to_bytes(8, "big"))
        over.wait(60)

    with node(act) as url, opened(url) as link, pytest.raises(LinkError, match="does not end"):
        asked(link, LONG_S)
    over.set()


def test_messages_for_nobody_are_too_long_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MOST_BYTES", 100_000)

    def act(connection: ServerConnection) -> None:
        while True:
            connection.send(json.dumps({"id": None, "result": "x" * 20_000}))

    with node(act) as url, opened(url) as link, pytest.raises(LinkError, match="does not end"):
        asked(link, LONG_S)


@pytest.mark.parametrize("frame", [b"\xff\xff\xff\xff", b"\x83\x00", b"\xc1\x01x", b"\x80\x01x", b"\x89\x7e\x01\x00"])
def test_frames_that_are_none_are_no_answer(frame: bytes) -> None:
    def act(connection: ServerConnection) -> None:
        connection.recv()
        connection.socket.sendall(frame + b" " * 300)
        connection.recv()

    with node(act) as url, opened(url) as link, pytest.raises(LinkError):
        asked(link, LONG_S)


def test_a_node_that_packs_its_answers_is_not_asked_to() -> None:
    seen: list[str | None] = []

    def act(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers.get("sec-websocket-extensions"))
        echo(connection)

    with node(act) as url, opened(url) as link:
        assert asked(link, LONG_S) == [1]
    assert seen == [None]
