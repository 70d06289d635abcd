"""The Electrum server of the rehearsal: what it tells, by whichever transport, and how it misbehaves."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from valtrac.devnet.tbtc import electrum, witness
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.electrum import BROADCAST, GET, HEADER, HEADERS, HISTORY, MERKLE, TIP, UNSPENT, script_hash
from valtrac.devnet.tbtc.electrum_server import ElectrumServer
from valtrac.devnet.tbtc.transactions import Input, Output, Transaction, hashed, parse, sha256d
from valtrac.devnet.tbtc.witness import Unlocked

KEY, BTC = Unlocked(b"e" * 32), 10**8
HASH = script_hash(KEY.script)


class Client:
    """A connection by TCP or TLS."""

    def __init__(self, server: ElectrumServer, transport: str = "tcp") -> None:
        port = int(server.urls[transport].rpartition(":")[2])
        line: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=2)
        if transport == "ssl":
            context = ssl.create_default_context(cadata=server.certificate)
            line = context.wrap_socket(line, server_hostname="127.0.0.1")
        self.line, self._lines = line, line.makefile("rb")

    def ask(self, method: str, *params: Any) -> Any:
        answer = self.raw({"id": 1, "method": method, "params": params})
        if "error" in answer:
            raise electrum.ElectrumError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def raw(self, message: Any) -> Any:
        self.line.sendall(json.dumps(message).encode() + b"\n")
        return self.heard()

    def heard(self) -> Any:
        line = self._lines.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    def close(self) -> None:
        self._lines.close()
        self.line.close()


@pytest.fixture
def bitcoin() -> Bitcoin:
    return Bitcoin()


@pytest.fixture
def server(bitcoin: Bitcoin) -> Iterator[ElectrumServer]:
    with ElectrumServer(bitcoin) as made:
        yield made


@pytest.fixture
def client(server: ElectrumServer) -> Iterator[Client]:
    made = Client(server)
    yield made
    made.close()


@pytest.fixture
def spend(bitcoin: Bitcoin) -> Transaction:
    """One that may be sent, of a coin that is six blocks deep."""
    coin = bitcoin.fund(KEY.script, BTC)
    bitcoin.mine(6)
    tx = Transaction((Input(coin, sequence=0),), (Output(BTC - 500, KEY.script),))
    return witness.spend(tx, 0, Output(BTC, KEY.script), KEY)


def error(client: Client, method: str, *params: Any) -> str:
    with pytest.raises(electrum.ElectrumError) as said:
        client.ask(method, *params)
    return said.value.message


def leads_to_root(client: Client, txid: str) -> bool:
    """Whether the branch that is told leads to the header that is told."""
    height = next(one["height"] for one in client.ask(HISTORY, HASH) if one["tx_hash"] == txid)
    told, root = client.ask(MERKLE, txid, height), hashed(txid)
    for place, sibling in enumerate(map(hashed, told["merkle"])):
        root = sha256d(sibling + root if told["pos"] >> place & 1 else root + sibling)
    header = bytes.fromhex(client.ask(HEADER, height))
    return root == header[36:68] and int.from_bytes(sha256d(header), "little") < 1 << 255


def test_a_transaction_is_sent_seen_and_proven(client: Client, bitcoin: Bitcoin, spend: Transaction) -> None:
    assert client.ask("server.version", "test", "1.4") == ["ElectrumX 1.16.0", "1.4"]
    assert client.ask("server.features")["genesis_hash"] == bitcoin.block(0).name
    assert client.ask(BROADCAST, spend.raw().hex()) == spend.txid
    assert client.ask(HISTORY, HASH)[-1] == {"tx_hash": spend.txid, "height": 0}
    assert "confirmations" not in client.ask(GET, spend.txid, True)
    bitcoin.mine(6)
    assert parse(bytes.fromhex(client.ask(GET, spend.txid))) == spend
    shown = client.ask(GET, spend.txid, True)
    assert (shown["confirmations"], shown["hex"]) == (6, spend.raw().hex())
    assert leads_to_root(client, spend.txid)
    [coin] = client.ask(UNSPENT, HASH)
    assert coin == {"tx_hash": spend.txid, "tx_pos": 0, "height": bitcoin.height - 5, "value": BTC - 500}
    headers = client.ask(HEADERS, bitcoin.height - 5, 100)
    assert (headers["count"], len(headers["hex"])) == (6, 960)
    assert client.ask("blockchain.estimatefee", 6) == 0.00001


def test_who_subscribed_is_told_of_each_block(client: Client, bitcoin: Bitcoin) -> None:
    assert client.ask(TIP)["height"] == bitcoin.height
    bitcoin.mine()
    told = client.heard()
    assert (told["method"], told["params"][0]["height"]) == (TIP, bitcoin.height)


def test_a_refusal_has_the_words_of_the_node(client: Client, bitcoin: Bitcoin, spend: Transaction) -> None:
    bad = spend.with_witness(0, ())
    assert "empty witness" in error(client, BROADCAST, bad.raw().hex())
    client.ask(BROADCAST, spend.raw().hex())
    bitcoin.mine()
    assert "Transaction already in block chain" in error(client, BROADCAST, spend.raw().hex())
    assert "-5" in error(client, GET, "ab" * 32)
    assert "not in block" in error(client, MERKLE, spend.txid, 1)
    assert "out of range" in error(client, HEADER, 10_000)
    assert "unknown method" in error(client, "blockchain.nothing")
    assert "invalid arguments" in error(client, HEADER)


@pytest.mark.parametrize("transport", ["ssl", "ws", "wss"])
def test_every_transport_carries_the_same(bitcoin: Bitcoin, transport: str) -> None:
    with ElectrumServer(bitcoin, [transport]) as server:
        if transport == "ssl":
            client = Client(server, "ssl")
            told = client.ask(TIP)
            client.close()
        else:
            context = ssl.create_default_context(cadata=server.certificate) if transport == "wss" else None
            with connect(server.url, ssl=context) as line:
                line.send(json.dumps({"id": 1, "method": TIP, "params": []}))
                told = json.loads(line.recv(timeout=2))["result"]
        assert told["height"] == bitcoin.height


@pytest.mark.parametrize(("fault", "arrived"), [("lose_reply", True), ("lose_request", False)])
def test_a_lost_reply_leaves_the_transaction_and_a_lost_request_does_not(
    server: ElectrumServer, client: Client, bitcoin: Bitcoin, spend: Transaction, fault: str, arrived: bool
) -> None:
    server.misbehave(**{fault: 1})
    with pytest.raises(EOFError):
        client.ask(BROADCAST, spend.raw().hex())
    assert (bitcoin.transaction(spend.txid) is not None) == arrived
    again = Client(server)
    assert again.ask(BROADCAST, spend.raw().hex()) == spend.txid
    again.close()


def test_it_hangs_closes_and_answers_nonsense(server: ElectrumServer, client: Client) -> None:
    server.misbehave(error={HEADER: 1}, busy={GET: 1}, garbage={TIP: 1}, wrong_id={"server.ping": 1})
    assert error(client, HEADER, 1) == "internal server error"
    assert error(client, GET, "ab" * 32) == "excessive resource usage"
    with pytest.raises(ValueError):
        client.ask(TIP)
    assert client.raw({"id": 7, "method": "server.ping", "params": []})["id"] == "another"
    assert client.ask("server.ping") is None
    server.misbehave(hang=1)
    client.line.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.ask("server.ping")
    for fault in ("close", "drop"):
        other = Client(server)
        if fault == "close":
            server.misbehave(close=1)
        else:
            assert other.ask("server.ping") is None
            server.drop()
        with pytest.raises((EOFError, ConnectionError)):
            other.ask("server.ping")
        other.close()


def test_it_lies_about_what_was_sent(
    server: ElectrumServer, client: Client, bitcoin: Bitcoin, spend: Transaction
) -> None:
    server.misbehave(claim_sent=1)
    assert client.ask(BROADCAST, spend.raw().hex()) == spend.txid
    assert bitcoin.transaction(spend.txid) is None
    server.misbehave(wrong_txid=1)
    assert client.ask(BROADCAST, spend.raw().hex()) != spend.txid
    server.misbehave(already_known=1)
    assert "txn-already-known" in error(client, BROADCAST, spend.raw().hex())
    assert bitcoin.transaction(spend.txid) is not None


def test_it_lies_about_the_chain(server: ElectrumServer, client: Client, bitcoin: Bitcoin, spend: Transaction) -> None:
    txid = spend.inputs[0].outpoint.txid
    assert leads_to_root(client, txid)
    for fault in ("wrong_merkle", "wrong_header"):
        server.misbehave(**{fault: 1})
        assert not leads_to_root(client, txid)
    server.misbehave(wrong_chain=1)
    assert client.ask("server.features")["genesis_hash"].startswith("000000000019d668")
    server.misbehave(hide_transactions={txid})
    assert client.ask(HISTORY, HASH) == client.ask(UNSPENT, HASH) == []
    assert "-5" in error(client, GET, txid)
    server.misbehave(hide_transactions=set(), behind=6)
    assert client.ask(TIP)["height"] == bitcoin.height - 6
    assert client.ask(HISTORY, HASH) == [{"tx_hash": txid, "height": 0}]
    assert "out of range" in error(client, HEADER, bitcoin.height)
    server.faults.clear()
    assert leads_to_root(client, txid)
