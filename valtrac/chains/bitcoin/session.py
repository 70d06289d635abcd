"""Questions to one Electrum server and their answers: protocol 1.4, ids matched, notifications passed over.

Source: the Electrum protocol, https://electrumx.readthedocs.io, `server.version` and `server.features`.
"""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

from valtrac.chains.bitcoin.lines import LARGEST, Broken, Connection, opened
from valtrac.chains.bitcoin.networks import Network
from valtrac.chains.bitcoin.servers import Server
from valtrac.core.text import plain

PROTOCOL = "1.4"
OURS = "valtrac"
MOST_STRAYS = 1_000


class ServerError(Exception):
    """What a server says no with. code: its number, 0 where it gives none; words: as it wrote them, cut and plain."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{plain(words, 300)} ({code})")
        self.code, self.words = code, plain(words, 1_000)


class WrongServer(Broken):
    """It answers, but it is not what it should be: another network, or another protocol."""


class Session:
    """A connection that shook hands, to a server of the right network. Not for several threads at once."""

    def __init__(self, server: Server, network: Network, until: float) -> None:
        """Connect. until: the time.monotonic() at which to give up. Raises Broken."""
        self._number = 0
        self._connection: Connection = opened(server, until)
        try:
            self._shake_hands(network, until)
        except ServerError as error:
            self.close()
            raise WrongServer(f"it is no Electrum server that can be used: {error}") from error
        except BaseException:
            self.close()
            raise

    def call(self, method: str, *params: Any, until: float) -> Any:
        """One answer; figures with a point are exact decimals. Raises ServerError where the server says no, Broken
        where nothing usable came in time."""
        self.send(method, *params, until=until)
        return self.receive(until)

    def send(self, method: str, *params: Any, until: float) -> None:
        """Hand a question over. Raises Broken: then the server may have it, or not."""
        self._number += 1
        question = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self._connection.send(json.dumps(question).encode(), until)

    def receive(self, until: float) -> Any:
        """The answer to the last question. Raises as `call`."""
        room = 2 * LARGEST
        for _ in range(MOST_STRAYS):
            text = self._connection.receive(until)
            message = _message(text)
            if "method" in message and message.get("id") is None:
                room -= len(text)
                if room < 0 or time.monotonic() > until:
                    break
                continue
            if type(message.get("id")) is not int or message["id"] != self._number:
                raise Broken("it answers another question than was asked")
            return _result(message)
        raise Broken("it tells what nobody asked for")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _shake_hands(self, network: Network, until: float) -> None:
        spoken = self.call("server.version", OURS, PROTOCOL, until=until)
        version = spoken[1] if isinstance(spoken, list) and len(spoken) == 2 else None
        if not isinstance(version, str) or not (version + ".").startswith(PROTOCOL + "."):
            raise WrongServer(f"it does not speak version {PROTOCOL} of the Electrum protocol")
        features = self.call("server.features", until=until)
        genesis = features.get("genesis_hash") if isinstance(features, dict) else None
        if not isinstance(genesis, str):
            raise WrongServer("it does not say which network it is of")
        if network.genesis and genesis.lower() != network.genesis:
            raise WrongServer(f"it is of another network than {network.name}: {plain(genesis, 64)}")


def _message(text: bytes) -> dict[str, Any]:
    try:
        message = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError):
        raise Broken("it answered with something that is no JSON") from None
    if not isinstance(message, dict):
        raise Broken("it answered with something that is no reply")
    return message


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _result(message: dict[str, Any]) -> Any:
    error = message.get("error")
    if error is not None:
        code, words = (error.get("code"), error.get("message")) if isinstance(error, dict) else (0, error)
        raise ServerError(code if type(code) is int else 0, words if isinstance(words, str) else repr(words)[:300])
    if "result" not in message:
        raise Broken("it answered with neither a result nor an error")
    return message["result"]
