"""JSON-RPC to several nodes of one BitShares chain: one at a time, the next one where it fails.

Reads are asked again on another node; a broadcast leaves this machine once. A node of another chain is not used.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar
from urllib.parse import urlsplit

from valtrac.chains.bitshares.link import OWN_PREFIX, Connect, Link, LinkError, RpcError
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.core.text import plain

__all__ = ["DATABASE", "Rpc", "RpcError"]

T = TypeVar("T")
DATABASE = 0
HEARTBEAT_S = 20.0
_END = object()
# The general errors of JSON-RPC come from whatever stands before the node, too, and may hide a success; these do not.
_NEVER_RUN = {-32700, -32600, -32601, -32602}


class Rpc:
    """Questions to the nodes of one chain, blocking; several threads take turns.

    expect_chain_id: 64 hex digits; where it is None, the first node's holds from then on. heartbeat_s: a connection
    that was idle for longer is asked for its chain before it is trusted. key_prefix: what the chain writes before its
    public keys. connect: how a node is reached, see `Link`.
    """

    def __init__(
        self,
        urls: Sequence[str],
        timeout_s: float,
        *,
        expect_chain_id: str | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        key_prefix: str = OWN_PREFIX,
        connect: Connect | None = None,
    ) -> None:
        if not urls:
            raise ValueError("no node")
        self.urls = tuple(urls)
        self.timeout_s = timeout_s
        self.heartbeat_s = heartbeat_s
        self.key_prefix = key_prefix
        self._connect = connect
        self._chain_id = expect_chain_id
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._at = 0
        self._link: Link | None = None
        self._closed = False

    def use(self, url: str) -> None:
        """Ask this one of the nodes from now on, until it fails."""
        with self._turn():
            if self.urls[self._at] != url:
                self._drop()
                self._at = self.urls.index(url)

    @property
    def in_use(self) -> str:
        """The address of the node that is asked now."""
        return self.urls[self._at]

    def call(self, api: int | str, method: str, *args: Any) -> Any:
        """The node's result. Every node is tried at most once, all within timeout_s.

        Raises RpcError (the node's own words), ChainUnreachable where no node answered.
        """
        params = _params(api, method, args)
        return self._ask(lambda link, until: self._exchange(link, params, until))

    def call_once(self, api: int | str, method: str, argument: bytes) -> None:
        """Send something that must not be sent again. argument: one JSON value, handed on byte by byte.

        The connection is checked before. Raises Refused in the node's words; OutcomeUnknown whatever else happens.
        """
        params = b'["%s","%s",[%s]]' % (str(api).encode(), method.encode(), argument)
        try:
            with self._turn():
                self._ask(self._check_chain)
                link = self._link
                if link is None:
                    raise LinkError("no connection")
                try:
                    answer = self._exchange(link, params, time.monotonic() + self.timeout_s)
                except LinkError:
                    self._drop()
                    raise
        except RpcError as error:
            if -32768 <= error.code <= -32000 and error.code not in _NEVER_RUN:
                raise _unknown(error) from error
            raise Refused(
                "the node refused the transaction", why=plain(error.message), fix="look at what became of it: reconcile"
            ) from error
        except ValtracError as error:
            raise _unknown(error.why or error.what) from error
        except Exception as error:
            raise _unknown(error) from error
        if answer is not None:
            raise _unknown(f"the node said {plain(repr(answer), 80)}")

    def stream(self, method: str, arguments: Iterable[Sequence[Any]], window: int = 64) -> Generator[Any, None, None]:
        """The results of many calls of the database, in order, with up to `window` of them under way.

        Other calls may come between two results. Where a node fails, the next one is asked for what is missing.
        Raises like `call`.
        """
        waiting: deque[tuple[int, bytes]] = deque()
        source, used = iter(arguments), list[Link]()

        def step(link: Link, until: float) -> Any:
            if used != [link]:
                used[:] = [link]
                for number, params in waiting:
                    link.send(number, params, until)
            if len(waiting) <= window // 2:
                for args in source:
                    waiting.append((next(self._numbers), _params(DATABASE, method, args)))
                    link.send(*waiting[-1], until)
                    if len(waiting) >= window:
                        break
            if not waiting:
                return _END
            answer = link.receive(waiting[0][0], until)
            waiting.popleft()
            return answer

        try:
            while (answer := self._ask(step)) is not _END:
                yield answer
        finally:
            for link in used:
                link.forget(number for number, _ in waiting)

    @property
    def chain_id(self) -> str:
        """The chain that all nodes serve, "" before the first answer."""
        return self._chain_id or ""

    def leave(self) -> str:
        """Let go of the present node for what it said: the next question goes to the next one. Its name."""
        with self._turn():
            name = _host(self.urls[self._at])
            self._drop()
            self._at = (self._at + 1) % len(self.urls)
            return name

    def close(self) -> None:
        """Let go of the connection; nothing is answered any more. Idempotent."""
        self._closed = True
        self._drop()

    # Inside

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=self.timeout_s):
            raise ChainUnreachable(
                "the connection to the node is busy", why="another question is not over", fix="try again"
            )
        try:
            if self._closed:
                raise ChainUnreachable("the connection to the node is closed", fix="open it again")
            yield
        finally:
            self._lock.release()

    def _ask(self, task: Callable[[Link, float], T]) -> T:
        """What the task makes of the first connection that bears it. A kept one that broke is opened anew."""
        deadline = time.monotonic() + self.timeout_s
        with self._turn():
            left, failures = len(self.urls), list[str]()
            while left:
                fresh = self._link is None
                now = time.monotonic()
                until = now + (deadline - now) / left
                try:
                    return task(self._current(until), until)
                except LinkError as error:
                    self._drop()
                    if fresh or error.timed_out:
                        failures.append(f"{_host(self.urls[self._at])}: {error}")
                        left -= 1
                        self._at = (self._at + 1) % len(self.urls)
        raise ChainUnreachable(
            f"no node answered within {self.timeout_s:g} s" if "in time" in failures[-1] else "no node answered",
            why=plain("; ".join(failures), 400),
            fix="check the connection and the nodes of the settings, then try again",
        )

    def _current(self, until: float) -> Link:
        if self._closed:  # meanwhile, by another thread
            raise ChainUnreachable("the connection to the node is closed", fix="open it again")
        link = self._link
        if link is None:
            link = self._link = Link(self.urls[self._at], until, key_prefix=self.key_prefix, connect=self._connect)
            self._check_chain(link, until)
        elif time.monotonic() - link.used_at > self.heartbeat_s:
            self._check_chain(link, until)
        return link

    def _check_chain(self, link: Link, until: float) -> None:
        try:
            answer = self._exchange(link, _params(DATABASE, "get_chain_properties", ()), until)
        except RpcError as error:
            raise LinkError(f"it does not tell its chain: {error}") from error
        chain_id = answer.get("chain_id") if isinstance(answer, dict) else None
        if not isinstance(chain_id, str) or len(chain_id) != 64:
            raise LinkError("it does not tell its chain")
        if self._chain_id is None:
            self._chain_id = chain_id
        if chain_id != self._chain_id:
            raise LinkError(f"it serves another chain: {chain_id[:16]}..., not {self._chain_id[:16]}...")

    def _exchange(self, link: Link, params: bytes, until: float) -> Any:
        number = next(self._numbers)
        link.send(number, params, until)
        return link.receive(number, until)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


def _params(api: int | str, method: str, args: Sequence[Any]) -> bytes:
    return json.dumps([api, method, list(args)], separators=(",", ":")).encode()


def _host(url: str) -> str:
    """The name alone: a key or a login may be part of the address."""
    try:
        return plain(urlsplit(url).hostname or "a node without a name", 80)
    except ValueError:
        return "a node without a name"


def _unknown(words: object) -> OutcomeUnknown:
    return OutcomeUnknown("it is not known whether the node took the transaction: the reply was lost", why=plain(words))
