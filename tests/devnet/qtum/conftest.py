"""A small rehearsal node: a pool with a few delegates, somebody without coins, and a raw client."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, Server

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
COIN = 100_000_000
REST = 10
FIRST = 6_300_000
PEOPLE = (
    Person("pool", 40_000 * COIN, 40, wallet=""),
    Person("alice", 900 * COIN, 3, to="pool"),
    Person("bob", 300 * COIN, 1, to="pool"),
    Person("carol", 500 * COIN, 2, to="pool", fee=60),
    Person("dave", 50 * COIN),
    Person("erin", 5_000 * COIN, 5, stakes=True),
)


class NodeSaid(Exception):
    """An error that the node told. status: of HTTP."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body = status, body
        told: dict[str, Any] = (
            json.loads(body)["error"] if body.startswith(b"{") else {"code": 0, "message": body.decode()}
        )
        self.code, self.message = told["code"], told["message"]
        super().__init__(f"{status} {told}")


@dataclass
class Wire:
    """What goes over the wire: one request a connection."""

    directory: Path
    port: int
    login: str | None = None
    path: str = "/"
    timeout: float = 5
    number: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def post(self, body: bytes) -> tuple[int, bytes]:
        login = (self.directory / ".cookie").read_text() if self.login is None else self.login
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            token = base64.b64encode(login.encode()).decode()
            connection.request("POST", self.path, body, {"Authorization": f"Basic {token}"})
            reply = connection.getresponse()
            self.headers = dict(reply.getheaders())
            return reply.status, reply.read()
        finally:
            connection.close()

    def frame(self, method: str, *params: Any) -> dict[str, Any]:
        self.number += 1
        return {"jsonrpc": "1.0", "id": self.number, "method": method, "params": list(params)}

    def __call__(self, method: str, *params: Any) -> Any:
        status, body = self.post(json.dumps(self.frame(method, *params)).encode())
        if status != 200:
            raise NodeSaid(status, body)
        return json.loads(body, parse_float=Decimal)["result"]

    def refused(self, method: str, *params: Any) -> tuple[int, int, str]:
        """(HTTP status, code, message) of an error."""
        with pytest.raises(NodeSaid) as told:
            self(method, *params)
        return told.value.status, told.value.code, told.value.message


def make(directory: Path, **named: Any) -> Path:
    given: dict[str, Any] = {"people": PEOPLE, "maturity": REST, "at": NOON, "network_satoshi": 1_000 * COIN}
    qtum.seed(directory, **{**given, **named})
    return directory


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("qtum") / "node")


@pytest.fixture
def node(tmp_path: Path, template: Path) -> Iterator[Path]:
    """The directory of a node with the people above, everybody's coins at rest long enough."""
    shutil.copytree(template, tmp_path / "node")
    yield tmp_path / "node"
    sums = qtum.audit(tmp_path / "node")
    assert sums["supply"] == sums["made"]


@pytest.fixture
def server(node: Path) -> Iterator[Server]:
    with Server(node) as made:
        yield made


@pytest.fixture
def wire(server: Server) -> Wire:
    return Wire(server.directory, server.port)


@pytest.fixture
def unlocked(wire: Wire) -> Wire:
    wire("walletpassphrase", qtum.PASSPHRASE, 600)
    return wire


@pytest.fixture
def addresses(node: Path) -> dict[str, str]:
    return qtum.addresses(node)


def signed(wire: Wire, payments: dict[str, str], **options: Any) -> tuple[str, str]:
    """A payment of the wallet, built, funded and signed: (hex, txid)."""
    raw = wire("createrawtransaction", [], [{to: amount} for to, amount in payments.items()])
    funded = wire("fundrawtransaction", raw, {"lockUnspents": True, "changePosition": len(payments), **options})
    made = wire("signrawtransactionwithwallet", funded["hex"])
    assert made["complete"]
    return made["hex"], wire("decoderawtransaction", made["hex"])["txid"]
