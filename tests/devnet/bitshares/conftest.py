"""A small rehearsal node with three people on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from valtrac.devnet import bitshares
from valtrac.devnet.bitshares import Client, Server

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
BTS = 100_000
ALICE, BOB, CUSTODIAN = 900_000 * BTS, 50 * BTS, 2_000_000 * BTS


@dataclass
class Bench:
    path: Path
    client: Client

    @property
    def status(self) -> dict[str, Any]:
        return bitshares.status(self.path)

    @property
    def properties(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.call("get_dynamic_global_properties")
        return found

    def send(self, *args: Any, **named: Any) -> str:
        return self.client.transfer(*args, **named)

    def push(self, trx: dict[str, Any]) -> Any:
        return self.client.call("broadcast_transaction", trx)

    def produce(self, n: int = 1, **named: Any) -> int:
        return bitshares.produce(self.path, n, **named)

    def holds(self, name: str, **named: Any) -> int:
        return bitshares.balances(self.path, **named)[name]

    def block(self, number: int | None = None) -> Any:
        return self.client.call("get_block", self.status["head"] if number is None else number)

    def where(self, tx_id: str) -> int | None:
        """The block that holds a transaction, found by packing every transaction anew."""
        from valtrac.devnet.bitshares import packing

        for number in range(1, self.status["head"] + 1):
            for trx in self.block(number)["transactions"]:
                if packing.transaction_id(packing.packed(packing.tidy(trx))) == tx_id:
                    return number
        return None

    def nothing_is_lost(self) -> bool:
        total = sum(bitshares.balances(self.path).values()) + bitshares.fees_burned(self.path)
        return total == bitshares.funded(self.path)


@pytest.fixture
def started() -> datetime | None:
    """When the chain starts; None is ten minutes ago."""
    return NEW_YEAR


@pytest.fixture
def bench(tmp_path: Path, started: datetime | None) -> Iterator[Bench]:
    path = tmp_path / "graphene.sqlite"
    people = [
        bitshares.dev_account("custodian", lifetime=True, satoshi=CUSTODIAN),
        bitshares.dev_account("alice", satoshi=ALICE),
        bitshares.dev_account("bob", satoshi=BOB),
    ]
    bitshares.seed(path, accounts=people, at=started, pace="manual")
    made = Bench(path, Client(path))
    yield made
    assert made.nothing_is_lost()


@pytest.fixture
def server(bench: Bench) -> Iterator[Server]:
    with bitshares.serve(bench.path) as node:
        yield node


class Wire:
    """A raw connection: what goes over it is what is asked and answered."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.number = 0

    def put(self, method: str, *args: Any, api: Any = 0) -> int:
        self.number += 1
        frame = {"method": "call", "params": [api, method, list(args)], "jsonrpc": "2.0", "id": self.number}
        self.put_raw(json.dumps(frame))
        return self.number

    def put_raw(self, frame: str) -> None:
        self.connection.send(frame.encode(), text=True)

    def get(self, timeout: float = 5) -> Any:
        return json.loads(self.get_raw(timeout))

    def get_raw(self, timeout: float = 5) -> str:
        raw: bytes = self.connection.recv(timeout, decode=False)
        return raw.decode()

    def hang_up(self) -> None:
        self.connection.close_socket()

    def ask(self, method: str, *args: Any, api: Any = 0) -> Any:
        self.put(method, *args, api=api)
        return self.get()


Opened = Callable[[], Wire]


@pytest.fixture
def opened(server: Server) -> Iterator[Opened]:
    """Opens one more connection to the node."""
    left = []

    def opened() -> Wire:
        left.append(connect(server.url, compression=None))
        return Wire(left[-1])

    yield opened
    for connection in left:
        connection.close()


@pytest.fixture
def wire(opened: Opened) -> Wire:
    return opened()
