"""Where a connection goes: to the address of the settings, to the host of that name, and no word of it in an error."""

from __future__ import annotations

import datetime
import json
import socket
import time
import traceback
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from tests.chains.bitshares.link_world import LONG_S, asked, echo, encrypted_node, listener, node, opened, refusal
from valtrac.chains.bitshares import link as links
from valtrac.chains.bitshares.link import LinkError
from valtrac.chains.bitshares.rpc import Rpc
from valtrac.core.errors import ChainUnreachable


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[socket.socket] = []
    with listener(called.append) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy"):
            monkeypatch.setenv(name, proxy.replace("ws:", "http:"))
            monkeypatch.setenv(name.upper(), proxy.replace("ws:", "http:"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with node(echo) as url, opened(url.replace("127.0.0.1", "localhost")) as link:
            assert asked(link, LONG_S) == [1]
    assert called == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    connections: list[object] = []
    with node(connections.append) as elsewhere:

        def redirect(peer: socket.socket) -> None:
            peer.recv(4096)
            peer.sendall(f"HTTP/1.1 {status} Elsewhere\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n".encode())

        with listener(redirect) as url:
            assert refusal(url) == f"it is no websocket: HTTP {status}"
    assert connections == []


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x00\xff" * 200 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: SECRET\r\n\r\n",
        b"x" * 100_000,
        b"",
    ],
)
def test_who_speaks_no_websocket_is_none(answer: bytes) -> None:
    def say(peer: socket.socket) -> None:
        peer.recv(4096)
        peer.sendall(answer)
        peer.close()

    with listener(say) as url:
        words = refusal(url)
    assert "SECRET" not in words


SECRET = "0123456789abcdef"


@pytest.mark.parametrize(
    "form",
    [
        "ws://127.0.0.1/?key={0}#part",
        "ws://user:{0}/x@127.0.0.1/",
        "ws://{0}@127.0.0.1/",
        "http://127.0.0.1/{0}",
        "ws:///{0}",
        "ws://[{0}/",
        "ws://" + "a" * 70 + ".example/{0}",
        "ws://127.0.0.1:1/{0}",
        "ws://user:{0}@127.0.0.1:1/",
    ],
)
def test_an_error_holds_neither_key_nor_login_of_the_address(form: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with pytest.raises(LinkError) as refused, opened(form.format(SECRET)):
        pass
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert SECRET not in caplog.text

    with pytest.raises(ChainUnreachable) as unreachable:
        Rpc([form.format(SECRET)], LONG_S).call(0, "echo")
    assert SECRET not in f"{unreachable.value.what} {unreachable.value.why} {unreachable.value.fix}"


def test_a_login_of_the_address_is_handed_in_and_written_down_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    seen: list[str | None] = []

    def act(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.headers.get("authorization"))
        echo(connection)

    with (
        node(act, logger=links._SILENT) as url,
        opened(url.replace("ws://", f"ws://user:{SECRET}@") + f"/{SECRET}") as link,
    ):
        assert asked(link, LONG_S) == [1]
    assert seen[0] is not None
    assert seen[0].startswith("Basic ")
    assert SECRET not in caplog.text


# TLS


def certificate(folder: Path) -> Path:
    """A self-signed certificate of localhost, and its key, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.9"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "node.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a node behind TLS, as localhost, and its certificate."""
    path = certificate(tmp_path)
    with encrypted_node(path) as url:
        yield url, path


@pytest.fixture
def trusted(secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of that node, where the system trusts its certificate."""
    url, path = secure
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return url


def test_a_certificate_that_the_system_trusts_is_good(trusted: str) -> None:
    with opened(trusted) as link:
        assert asked(link, LONG_S) == [1]
        for number in range(2, 300):
            link.send(number, b"[%d]" % number, time.monotonic() + LONG_S)
        assert [link.receive(number, time.monotonic() + LONG_S) for number in range(2, 300)] == [
            [number] for number in range(2, 300)
        ]


def test_reading_and_writing_at_once_disturb_no_connection(trusted: str) -> None:
    for _ in range(100):  # over a socket of Python's own, about a third of them broke
        with opened(trusted) as link:
            assert asked(link, LONG_S) == [1]


def test_what_is_larger_than_any_buffer_goes_both_ways(trusted: str) -> None:
    with opened(trusted) as link:
        until = time.monotonic() + LONG_S
        for number in range(4):
            link.send(number, json.dumps(["x" * 900_000, number]).encode(), until)
        assert [link.receive(number, until)[1] for number in range(4)] == [0, 1, 2, 3]


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: tuple[str, Path]) -> None:
    url, _ = secure
    assert "certificate verify failed" in refusal(url)


def test_a_certificate_of_another_host_is_refused(trusted: str) -> None:
    assert "certificate is not valid for '127.0.0.1'" in refusal(trusted.replace("localhost", "127.0.0.1"))
