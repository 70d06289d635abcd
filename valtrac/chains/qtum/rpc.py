"""Asking a node of Bitcoin's kind over HTTP: login, one question or many at once, exact numbers, its errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from valtrac.chains.untrusted import Untrusted
from valtrac.core.errors import ChainUnreachable
from valtrac.core.text import plain

COIN = 100_000_000
BUSY_TRIES, BUSY_WAIT_S = 6, 0.2
LARGEST_ANSWER = 256 * 1024 * 1024
SLOWEST_TIMES = 10  # as long as a node may be silent: so long may a whole answer take
WARMING_UP, UNKNOWN_METHOD = -28, -32601
Question = tuple[str, Sequence[Any]]


class NodeError(Exception):
    """What a node says no with. code: its number, as Bitcoin's `rpc/protocol.h` has them."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{plain(words, 300)} ({code})")
        self.code, self.words = code, plain(words, 300)


class StartingUp(ChainUnreachable):
    """The node is there and reads its blocks; it answers in a while."""


class Rpc:
    """One node. login: a file that holds `user:password`, as the node writes it at each start; None: no login."""

    def __init__(self, url: str, *, login: Path | None, timeout_s: float, wallet: str = "", network: str = "") -> None:
        self.url, self.network, self.timeout_s = url.rstrip("/"), network, timeout_s
        self._path = f"{self.url}/wallet/{wallet}" if wallet else self.url
        self._login = login
        self._client: Any = None
        self._number = 0
        self.sleep: Callable[[float], None] = time.sleep

    def call(self, method: str, *params: Any) -> Any:
        """One answer; figures with a point are exact decimals. Raises NodeError where the node says no, TimeoutError,
        and ChainUnreachable."""
        return _result(self._post(self._question(method, params)))

    def many(self, questions: Sequence[Question]) -> list[Any]:
        """Answers to many questions in one go, in order. Raises as `call` for the first that fails."""
        if not questions:
            return []
        asked = [self._question(method, params) for method, params in questions]
        answers = self._post(asked)
        if not isinstance(answers, list) or len(answers) != len(asked):
            raise Untrusted("another number of answers than of questions")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        if set(by_id) != {question["id"] for question in asked}:
            raise Untrusted("answers to other questions")
        return [_result(by_id[question["id"]]) for question in asked]

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _question(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        self._number += 1
        return {"jsonrpc": "1.0", "id": self._number, "method": method, "params": list(params)}

    def _post(self, question: Any) -> Any:
        """The body of an answer. A full queue is waited for; a password that has changed is read anew, once: nothing
        was done by a node that asked for it."""
        import httpx

        status, body = 0, b""
        for turn in range(BUSY_TRIES):
            try:
                status, body = self._answer(json.dumps(question))
            except httpx.TimeoutException as error:
                raise TimeoutError(self.url) from error
            if status == 401 and turn == 0:
                continue
            if status != 503:
                break
            self.sleep(BUSY_WAIT_S * 2**turn)
        if status == 401:
            raise ChainUnreachable(
                f"the {self.network} node refuses the login",
                why=f"it was read from {plain(self._login)}",
                fix="set VALTRAC_QTUM_LOGIN to the node's .cookie, or to a file with user:password of its rpcauth",
            )
        try:
            return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise Untrusted(f"HTTP {status} without an answer") from error

    def _answer(self, question: str) -> tuple[int, bytes]:
        """(status, body) of one answer, read piece by piece: one that grows too large, or comes in too slowly to be
        meant, is let go of before it is whole."""
        until, body = time.monotonic() + SLOWEST_TIMES * self.timeout_s, bytearray()
        asked = {"content": question, "headers": _JSON, "auth": self._auth()}
        with self._open().stream("POST", self._path, **asked) as answer:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise Untrusted("an answer of more bytes than there can be")
                if time.monotonic() > until:
                    raise TimeoutError(self.url)
        return answer.status_code, bytes(body)

    def _open(self) -> Any:
        if self._client is None:
            import httpx

            proven = self.url.startswith("https://")  # without TLS nobody's list of authorities has to be read
            self._client = httpx.Client(timeout=self.timeout_s, trust_env=False, follow_redirects=False, verify=proven)
        return self._client

    def _auth(self) -> tuple[str, str] | None:
        """The login, read each time: the node writes another one at each start."""
        if self._login is None:
            return None
        text = ""
        with suppress(OSError, UnicodeDecodeError):
            text = self._login.read_text(encoding="utf-8").strip()
        user, colon, password = text.partition(":")
        if not colon:
            raise ChainUnreachable(
                f"the login of the {self.network} node cannot be read",
                why=f"{plain(self._login)} holds no user:password, or is not there while the node is down",
                fix="start the node, or mend VALTRAC_QTUM_LOGIN",
            )
        return user, password


_JSON = {"content-type": "application/json"}


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _result(answer: Any) -> Any:
    if not isinstance(answer, dict):
        raise Untrusted("an answer that is no object")
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        raise Untrusted("an error that is no object")
    code, words = error.get("code"), str(error.get("message", ""))
    if code == WARMING_UP:
        raise StartingUp("the node is starting", why=plain(words, 200), fix="wait; it is asked again by itself")
    raise NodeError(code if type(code) is int else -1, words)


def satoshi(amount: Any) -> int:
    """Coins as a node writes them, in satoshi. Raises Untrusted for a figure that is none, or is finer than that."""
    if isinstance(amount, bool) or not isinstance(amount, (int, Decimal)):
        raise Untrusted(f"{plain(repr(amount), 40)} is no amount")
    try:
        units = Decimal(amount) * COIN
        if units != units.to_integral_value() or abs(units) > 21 * 10**18:
            raise Untrusted(f"{plain(str(amount), 40)} is no amount")
    except InvalidOperation as error:
        raise Untrusted(f"{plain(str(amount), 40)} is no amount") from error
    return int(units)


def coins(units: int) -> str:
    """Satoshi as nodes take them, exactly: a text with eight decimals."""
    return f"{units // COIN}.{units % COIN:08d}"
