"""Several providers of one network behind one web3: whoever fails rests, and the next one is asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from valtrac.core.text import plain

LARGEST_ANSWER = 128 * 1024 * 1024
SLOWEST_TIMES = 10  # as long as a provider may be silent: so long may a whole answer take
REST_S, LONGEST_REST_S = 5.0, 600.0
LIMITS = {-32005, -32016, -32097, 429}  # how providers say in JSON-RPC that they were asked too much
TOO_MANY = ("limit", "too many requests", "quota", "capacity", "compute units")
_JSON = {"content-type": "application/json"}


class NobodyAnswers(ConnectionError):
    """Every provider failed, or rests; the message says which, and why."""


class _Failed(Exception):
    """One provider gave no answer. rest_s: for how long it wants to be left alone, None where it did not say."""

    def __init__(self, words: str, rest_s: float | None = None) -> None:
        super().__init__(words)
        self.rest_s = rest_s


@dataclass(slots=True)
class Provider:
    """One provider and how it does. name: its host, which is all that may be shown: keys stand in the rest of the
    address. answered_at: when it last did, by this machine's clock."""

    url: str = field(repr=False)
    name: str
    rests_until: float = 0.0
    failures: int = 0
    words: str = ""
    answered_at: datetime | None = None


class Failover(JSONBaseProvider):
    """web3's provider over several of them, asked in their order.

    timeout_s: how long one may be silent. stale_s: how old the newest block of one may be, None: any. A call that
    reverts and a no to a transaction are the chain's own answers, and nobody else is asked; where one says no to a
    question, the next one may know it.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        timeout_s: float,
        stale_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.providers = [Provider(url, _name(url)) for url in urls]
        self.timeout_s, self.stale_s = timeout_s, stale_s
        self.requests = 0
        self._clock, self._now = clock, now
        self._client: Any = None
        self._last: Provider | None = None

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One answer. Raises NobodyAnswers."""
        question = self.encode_rpc_request(method, params)
        final = method == "eth_sendRawTransaction"
        newest = method == "eth_getBlockByNumber" and list(params)[:1] == ["latest"]
        answer: RPCResponse = self._first_answer(
            question, lambda given: self._checked(given, newest=newest), lambda given: not final and _says_no(given)
        )
        return answer

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Answers to many questions in one go, in their order. Raises NobodyAnswers."""
        question = self.encode_batch_rpc_request(requests)
        ids = [each["id"] for each in json.loads(question)]
        answers: list[RPCResponse] = self._first_answer(
            question, lambda given: _in_order(given, ids), lambda given: any(map(_says_no, given))
        )
        return answers

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether anybody answers."""
        try:
            self.make_request(RPCEndpoint("eth_chainId"), [])
        except NobodyAnswers:
            return False
        return True

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def distrust(self) -> str:
        """Ask whoever answered last after all others for a while; its name."""
        if self._last is None:
            return ""
        self._last.rests_until, self._last.words = self._clock() + LONGEST_REST_S, "it told what cannot be"
        return self._last.name

    def _first_answer(self, question: bytes, read: Callable[[Any], Any], says_no: Callable[[Any], bool]) -> Any:
        """What the first provider answers that is not at rest; those at rest are tried too where nobody else does. An
        error of one, where nobody else answers with anything better."""
        now, no = self._clock(), None
        waking = sorted(self.providers, key=lambda provider: provider.rests_until > now)
        for provider in waking:
            try:
                answer = read(self._ask(provider, question))
            except _Failed as failed:
                self._rest(provider, failed)
                continue
            if provider.rests_until <= now:
                provider.rests_until = 0.0
            provider.failures, provider.words, provider.answered_at = 0, "", self._now()
            if says_no(answer):
                no = answer if no is None else no
                continue
            self._last = provider
            return answer
        if no is not None:
            return no
        said = "; ".join(f"{provider.name}: {provider.words}" for provider in self.providers)
        raise NobodyAnswers(said or "no provider is set")

    def _rest(self, provider: Provider, failed: _Failed) -> None:
        provider.failures += 1
        provider.words = plain(failed, 200)
        wanted = failed.rest_s if failed.rest_s is not None else REST_S * 2 ** min(provider.failures - 1, 7)
        provider.rests_until = self._clock() + min(max(wanted, 0.0), LONGEST_REST_S)

    def _ask(self, provider: Provider, question: bytes) -> Any:
        """The body of one answer. Raises _Failed for whatever is no answer of a chain."""
        import httpx

        self.requests += 1
        until, body = time.monotonic() + SLOWEST_TIMES * self.timeout_s, bytearray()
        try:
            with self._open().stream("POST", provider.url, content=question, headers=_JSON) as answer:
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise _Failed("an answer of more bytes than there can be")
                    if time.monotonic() > until:
                        raise _Failed("it answers too slowly to be meant")
        except httpx.TimeoutException as error:
            raise _Failed(f"no answer within {self.timeout_s:g} s") from error
        except (httpx.HTTPError, OSError) as error:
            raise _Failed(type(error).__name__) from error
        if answer.status_code == 429:
            raise _Failed("it was asked too much", _retry_after(answer.headers.get("retry-after", ""), self._now()))
        try:
            given = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _Failed(f"HTTP {answer.status_code} without an answer") from error
        if answer.status_code >= 400 and not (isinstance(given, dict) and "error" in given):
            raise _Failed(f"HTTP {answer.status_code}")
        _refuse_limits(given)
        return given

    def _open(self) -> Any:
        if self._client is None:
            import httpx

            self._client = httpx.Client(timeout=self.timeout_s, trust_env=False, follow_redirects=False)
        return self._client

    def _checked(self, given: Any, *, newest: bool) -> Any:
        """One answer. newest: to the question for the newest block, whose age shows a provider that stands still."""
        if not isinstance(given, dict) or ("result" not in given and "error" not in given):
            raise _Failed("an answer that is none")
        block = given.get("result")
        stamp = block.get("timestamp") if newest and isinstance(block, dict) else None
        if self.stale_s is not None and isinstance(stamp, str):
            try:
                age = self._now().timestamp() - int(stamp, 16)
            except (ValueError, OverflowError):
                raise _Failed("a time of its newest block that is none") from None
            if age > self.stale_s:
                raise _Failed(f"its newest block is {age:,.0f} s old")
        return given


def _name(url: str) -> str:
    parts = urlsplit(url)
    return parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else "?"


def _says_no(given: Any) -> bool:
    """Whether it is an error of the provider's own, and not the no of a contract."""
    error = given.get("error")
    if error is None:
        return False
    words = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    code = error.get("code") if isinstance(error, dict) else None
    return code != 3 and "revert" not in words.lower() and "VM Exception" not in words


def _in_order(given: Any, ids: Sequence[int]) -> list[Any]:
    """Answers to a batch in the order of the questions, each once."""
    if isinstance(given, dict) and "error" in given:
        raise _Failed(f"it takes no batch: {plain(str(given['error']), 120)}")
    if not isinstance(given, list) or len(given) != len(ids):
        raise _Failed("another number of answers than of questions")
    by_id = {each.get("id"): each for each in given if isinstance(each, dict)}
    if set(by_id) != set(ids):
        raise _Failed("answers to other questions")
    return [by_id[each] for each in ids]


def _refuse_limits(given: Any) -> None:
    """Raise _Failed where a provider says in an answer that it was asked too much."""
    for each in given if isinstance(given, list) else [given]:
        error = each.get("error") if isinstance(each, dict) else None
        if not isinstance(error, dict):
            continue
        words = str(error.get("message", "")).lower()
        limited = error.get("code") in LIMITS and not words.startswith("execution reverted")
        if limited and "returned more than" not in words and "block range" not in words:
            raise _Failed(f"it was asked too much: {plain(words, 120)}")


def _retry_after(text: str, now: datetime) -> float | None:
    """Seconds that a provider wants to be left alone for: a number, or a date; None where it did not say."""
    if text.strip().isdigit():
        return float(text.strip())
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError):
        return None
