"""The addresses of Electrum servers, and the connections to them: tcp, TLS, websockets, pinned certificates."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import socket
import ssl
import threading
from pathlib import Path

import pytest

from tests.chains.bitcoin.world import CLOSE, Chain, Raw, electrum, id_of, payment, websocket, within
from valtrac.chains.bitcoin.electrum import ElectrumNetwork
from valtrac.chains.bitcoin.lines import LARGEST
from valtrac.chains.bitcoin.servers import server, servers
from valtrac.core.errors import BadInput, ChainUnreachable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str, Path]:
    """(a server's TLS, the sha256 of its certificate, which it signed itself, the file of it)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "electrum")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    signed = made.sign(key, hashes.SHA256())
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(signed.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    shown = hashlib.sha256(signed.public_bytes(serialization.Encoding.DER)).hexdigest()
    return context, shown, file


def tip(url: str, timeout_s: float = 20.0) -> int:
    client = ElectrumNetwork([url], "regtest", timeout_s=timeout_s)
    try:
        return client.tip()
    finally:
        client.close()


def test_a_server_is_read_from_its_url() -> None:
    found = server("ssl://Electrum.example#sha256=" + "AB" * 32)
    assert (found.name, found.pin) == ("ssl://electrum.example:50002", b"\xab" * 32)
    assert server("tcp://[::1]:7").name == "tcp://[::1]:7"
    assert server("wss://host/key?a=1").path == "/key?a=1"
    assert server("wss://host:1/secret").name == "wss://host:1"
    assert [server(f"{scheme}://host").port for scheme in ("tcp", "ssl", "ws", "wss")] == [50001, 50002, 50003, 50004]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:50002",
        "http://host",
        "ssl://",
        "ssl://host:0",
        "ssl://host:99999",
        "ssl://user:secret@host",
        "ssl://host/secret",
        "ssl://host secret",
        "ssl://host\u200bsecret",
        "tcp://host#sha256=" + "00" * 32,
        "ssl://host#sha256=secret",
        "ssl://host#secret",
        "ssl://höst",
    ],
)
def test_what_is_no_address_of_a_server_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        server(url, field="VALTRAC_BITCOIN_SERVERS")
    assert "secret" not in str(refused.value)
    assert "VALTRAC_BITCOIN_SERVERS" in refused.value.what


def test_servers_are_not_named_twice_and_not_missing() -> None:
    assert len(servers(["ssl://one", " ", "ssl://two"])) == 2
    for urls in ([], [""], ["ssl://one", "wss://one:50002"]):
        with pytest.raises(BadInput):
            servers(urls)
    with pytest.raises(BadInput, match="no network"):
        ElectrumNetwork(["ssl://one"], "mainnet")


def test_each_way_to_a_server_tells_the_same(certificate: tuple[ssl.SSLContext, str, Path]) -> None:
    tls, pin, _ = certificate
    for way, encrypted in ((electrum, None), (electrum, tls), (websocket, None), (websocket, tls)):
        with way(Chain(), encrypted) as url:
            client = ElectrumNetwork([url + (f"#sha256={pin}" if encrypted else "")], "regtest")
            assert (client.tip(), client.relay(payment())) == (2, id_of(payment()))
            client.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: tuple[ssl.SSLContext, str, Path]) -> None:
    chain = Chain()
    with electrum(chain, certificate[0]) as url, pytest.raises(ChainUnreachable, match="certificate is not valid"):
        tip(url)
    with websocket(chain, certificate[0]) as url, pytest.raises(ChainUnreachable, match="certificate is not valid"):
        tip(url)
    assert chain.asked == []


def test_a_certificate_that_is_known_is_taken_for_its_host_alone(
    certificate: tuple[ssl.SSLContext, str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[2]))
    with electrum(Chain(), certificate[0]) as url:
        assert tip(url) == 2
        with pytest.raises(ChainUnreachable, match="certificate is not valid"):
            tip(url.replace("127.0.0.1", "localhost"))


def test_another_certificate_than_the_pinned_one_is_refused(certificate: tuple[ssl.SSLContext, str, Path]) -> None:
    chain = Chain()
    with electrum(chain, certificate[0]) as url, pytest.raises(ChainUnreachable, match="another one than the one that"):
        tip(f"{url}#sha256={'00' * 32}")
    assert chain.asked == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (CLOSE, "closed the connection"),
        (Raw(b"garbage"), "no JSON"),
        (Raw(b"0" * (LARGEST + 2)), "does not end"),
    ],
)
def test_a_websocket_that_misbehaves_is_let_go_of(bad: object, words: str) -> None:
    chain = Chain(bad={"blockchain.headers.subscribe": bad})
    with websocket(chain) as url, pytest.raises(ChainUnreachable, match=words):
        tip(url)


def test_what_is_no_websocket_and_what_is_nothing_ends(certificate: tuple[ssl.SSLContext, str, Path]) -> None:
    with electrum(Chain(), certificate[0]) as url, pytest.raises(ChainUnreachable):
        tip(url.replace("ssl", "tcp"), 1)
    with electrum(Chain()) as url, pytest.raises(ChainUnreachable):
        tip(url.replace("tcp", "ws"), 1)
    with pytest.raises(ChainUnreachable, match="refused"):
        tip("tcp://127.0.0.1:1")
    with pytest.raises(ChainUnreachable):
        within(20, lambda: tip("tcp://nowhere.invalid:1", 1))


@pytest.mark.parametrize("scheme", ["tcp", "ssl", "ws", "wss"])
def test_who_takes_the_call_and_says_nothing_is_not_waited_for(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"{scheme}://127.0.0.1:{door.getsockname()[1]}"
        with pytest.raises(ChainUnreachable, match="in time"):
            within(5, lambda: tip(url, 0.3))


def test_a_byte_now_and_then_stretches_nothing() -> None:
    over = threading.Event()

    def trickle(door: socket.socket) -> None:
        line, _ = door.accept()
        while not over.wait(0.05):
            try:
                line.send(b" ")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=trickle, args=(door,), daemon=True).start()
        with pytest.raises(ChainUnreachable, match="in time"):
            within(5, lambda: tip(f"tcp://127.0.0.1:{door.getsockname()[1]}", 0.4))
        over.set()
