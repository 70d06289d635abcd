"""What the node does with an HTTP request, whatever it came over: the login, the questions, the faults, the answer."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from valtrac.devnet.qtum import faults, rpc, shapes, state
from valtrac.devnet.qtum.rules import NodeError

_AFTER_WRONG_LOGIN_S = 0.25


class Node(Protocol):
    """The node that is asked. directory: its own; chain: where its chain is; log: the newest requests."""

    directory: Path
    chain: Path
    log: deque[dict[str, Any]]

    def may_enter(self, header: str) -> bool:
        """Whether a login is good."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response. kind: the type of its body; more: further headers."""

    status: int
    body: bytes
    kind: str = "application/json"
    more: Mapping[str, str] = field(default_factory=dict)


class HungUp(Exception):
    """The connection breaks instead, as a network does."""


class NoAnswer(Exception):
    """The connection stays, and nothing comes."""


_UNAUTHORISED = Answer(401, b"", "text/html", {"WWW-Authenticate": 'Basic realm="jsonrpc"'})


def answered(node: Node, path: str, login: str | None, body: bytes) -> Answer:
    """Carry out the questions of one request. login: its Authorization header. Raises HungUp and NoAnswer."""
    if login is None or not node.may_enter(login):
        if login is not None:
            time.sleep(_AFTER_WRONG_LOGIN_S)
        return _UNAUTHORISED
    try:
        request = json.loads(body, parse_float=Decimal)
        if not isinstance(request, (dict, list)):
            raise ValueError
    except ValueError:
        return _written(500, _error(-32700, "Parse error", None))
    path = unquote(path)
    exchange = _Exchange(node, path.removeprefix("/wallet/") if path.startswith("/wallet/") else None)
    status, reply = (
        (200, [exchange.one(question)[1] for question in request])
        if isinstance(request, list)
        else exchange.one(request)
    )
    return _struck(exchange.hits) or _written(status, reply)


def _struck(hits: Mapping[str, Any]) -> Answer | None:
    """What is answered in the place of the truth."""
    if "down" in hits or "lose_request" in hits or "lose_reply" in hits:
        raise HungUp
    if "hang" in hits:
        raise NoAnswer
    if "busy" in hits:
        return Answer(503, b"Work queue depth exceeded", "text/plain")
    if "refuse_login" in hits:
        return _UNAUTHORISED
    return Answer(200, _garbage(hits["garbage"])) if "garbage" in hits else None


def _written(status: int, reply: Any) -> Answer:
    return Answer(status, (shapes.written(reply) + "\n").encode())


class _Exchange:
    """The questions of one HTTP request. hits: the faults that struck any of them."""

    def __init__(self, node: Node, named: str | None) -> None:
        self.node, self.named = node, named
        self.hits: dict[str, Any] = {}

    def one(self, request: Any) -> tuple[int, dict[str, Any]]:
        """The HTTP status and the reply to one question."""
        number = request.get("id") if isinstance(request, dict) else None
        try:
            name, params = _parsed(request)
            self.node.log.append(request)
            hit = faults.struck(state.connect(self.node.directory), name)
            self.hits |= hit
            time.sleep(hit.get("slow", 0))
            result = self._result(name, params, hit)
        except NodeError as error:
            reply = _error(error.code, error.message, number)
            return {-32600: 400, -32601: 404}.get(error.code, 500), reply
        if "wrong_id" in hit:
            number = number + 1000 if isinstance(number, int) else 1000
        return 200, {"result": result, "error": None, "id": number}

    def _result(self, name: str, params: Any, hit: dict[str, Any]) -> Any:
        if any(fault in hit for fault in ("down", "lose_request", "busy", "refuse_login")):
            return None
        if "warming_up" in hit:
            raise NodeError(-28, "Loading block index…")
        if "error" in hit:
            raise NodeError(-1, "this rehearsal node was told to fail")
        try:
            return rpc.answer(self.node.chain, name, params, wallet=self.named, hits=hit, node=self.node.directory)
        except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError, sqlite3.Error) as error:
            raise NodeError(-1, f"{type(error).__name__}: {error}") from error


def _parsed(request: Any) -> tuple[str, Any]:
    if not isinstance(request, dict):
        raise NodeError(-32600, "Invalid Request object")
    name, params = request.get("method"), request.get("params")
    if name is None:
        raise NodeError(-32600, "Missing method")
    if not isinstance(name, str):
        raise NodeError(-32600, "Method must be a string")
    if params is not None and not isinstance(params, (dict, list)):
        raise NodeError(-32600, "Params must be an array or object")
    if name.startswith("devnet_"):
        params = {"arguments": params}
    return name, params


def _error(code: int, message: str, number: Any) -> dict[str, Any]:
    return {"result": None, "error": {"code": code, "message": message}, "id": number}


def _garbage(left: Any) -> bytes:
    """No JSON, then JSON of another shape, in turn."""
    count = sum(left.values()) if isinstance(left, dict) else left
    if int(count) % 2:
        return b"<html><body>502 Bad Gateway</body></html>"
    return b'{"unexpected": [1, null, "shape"]}'
