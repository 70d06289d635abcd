"""Several Electrum servers: who is asked, who rests after a failure, and who agrees with whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any, TypeVar

from valtrac.chains.bitcoin import answers
from valtrac.chains.bitcoin.lines import Broken
from valtrac.chains.bitcoin.networks import Network
from valtrac.chains.bitcoin.proofs import header
from valtrac.chains.bitcoin.servers import Server
from valtrac.chains.bitcoin.session import ServerError, Session
from valtrac.chains.untrusted import Untrusted
from valtrac.core.errors import ChainUnreachable

Found = TypeVar("Found")
REORG_WINDOW = 6  # blocks by which honest servers may differ
TROUBLE = (Broken, ServerError, Untrusted)
_FIX = "check the connection and the servers that are named, then try again"


class Peer:
    """One server. A connection is made when it is needed, and kept."""

    def __init__(self, server: Server, network: Network, timeout_s: float) -> None:
        self.server, self.network, self._timeout_s = server, network, timeout_s
        self.rests_until = 0.0
        self._session: Session | None = None

    @property
    def name(self) -> str:
        """The server, as it may be shown."""
        return self.server.name

    def call(self, method: str, *params: Any) -> Any:
        """One answer. Raises ServerError and Broken. Where a connection had been closed meanwhile, as servers do with
        idle ones, it is made once more: questions change nothing."""
        kept, asked_at = self._session is not None, time.monotonic()
        try:
            return self._call(method, *params)
        except Broken:
            if not kept or time.monotonic() - asked_at >= self._timeout_s:
                raise
        return self._call(method, *params)

    def fresh(self) -> tuple[Session, float]:
        """(a connection that answers at this moment, the time.monotonic() at which to give up). Raises Broken."""
        self.call("server.ping")
        until = time.monotonic() + self._timeout_s
        return self._opened(until), until

    def drop(self) -> None:
        """Hang up."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def tip(self) -> int:
        """The height of its newest block. Raises as `call`, and Untrusted."""
        height, raw = answers.tip(self.call("blockchain.headers.subscribe"))
        header(raw, self.network)
        return height

    def headers(self, start: int, count: int) -> bytes:
        """So many headers. Raises as `call`, and Untrusted."""
        return answers.headers(self.call("blockchain.block.headers", start, count), count)

    def _call(self, method: str, *params: Any) -> Any:
        until = time.monotonic() + self._timeout_s
        try:
            return self._opened(until).call(method, *params, until=until)
        except Broken:
            self.drop()
            raise

    def _opened(self, until: float) -> Session:
        if self._session is None:
            self._session = Session(self.server, self.network, until)
        return self._session


class Peers:
    """The servers of a network in the order in which they are asked. rest_s: how long one that failed is asked last."""

    def __init__(
        self,
        servers: Sequence[Server],
        network: Network,
        *,
        timeout_s: float,
        rest_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.all = tuple(Peer(server, network, timeout_s) for server in servers)
        self._network, self._rest_s, self._clock = network, rest_s, clock

    def in_order(self) -> list[Peer]:
        """Those that do not rest, then those that do: they are better than nobody."""
        now = self._clock()
        return sorted(self.all, key=lambda peer: peer.rests_until > now)

    def failed(self, peer: Peer, error: Exception) -> None:
        """Let a server rest. One that says no in words is well: its connection is kept, and it is asked as before."""
        if not isinstance(error, ServerError):
            peer.drop()
            peer.rests_until = self._clock() + self._rest_s

    def first(self, what: str, ask: Callable[[Peer], Found]) -> Found:
        """The answer of the first server that gives one. Raises ChainUnreachable, which names all of them."""
        said = list[str]()
        for peer in self.in_order():
            try:
                return ask(peer)
            except TROUBLE as error:
                self.failed(peer, error)
                said.append(f"{peer.name}: {error}")
        raise self.nobody(what, said)

    def agreed(self, what: str, ask: Callable[[Peer, int], tuple[Found, int]]) -> Found:
        """The answer of one server, whose chain another one confirms where more than one is named.

        ask(peer, top): (the answer, the height of the block up to which it holds), believing no block above `top`; the
        other is asked, too, where the answer is nothing.
        Two servers fit together where their heights are within REORG_WINDOW, and the block up to which the answer holds
        is the same to both. Raises ChainUnreachable where no two do, which names all of them."""
        said, tops = list[str](), dict[str, int]()
        for peer in self.in_order():
            try:
                tops[peer.name] = peer.tip()
            except TROUBLE as error:
                self.failed(peer, error)
                said.append(f"{peer.name}: {error}")
        heard = [peer for peer in self.all if peer.name in tops]
        pairs: list[tuple[Peer, Peer | None]]
        if len(self.all) == 1:
            pairs = [(peer, None) for peer in heard]
        else:
            pairs = [*combinations(sorted(heard, key=lambda peer: -tops[peer.name]), 2)]
            if len(heard) == 1:
                said.append(f"{heard[0].name} answers, and no other server confirms what it says")
        for one, other in pairs:
            try:
                return self._confirmed(one, other, tops, ask)
            except TROUBLE as error:
                said.append(str(error))
        raise self.nobody(what, said)

    def close(self) -> None:
        """Hang up everywhere."""
        for peer in self.all:
            with suppress(OSError):
                peer.drop()

    def _confirmed(
        self, one: Peer, other: Peer | None, tops: dict[str, int], ask: Callable[[Peer, int], tuple[Found, int]]
    ) -> Found:
        """Raises one of TROUBLE, which says who is at fault, or which two do not fit together."""
        top = tops[one.name] if other is None else min(tops[one.name], tops[other.name])
        if other is not None and abs(tops[one.name] - tops[other.name]) > REORG_WINDOW:
            heights = f"{one.name} is at block {tops[one.name]}, {other.name} at {tops[other.name]}"
            raise Untrusted(f"{heights}: one of them stands still, or makes blocks up")
        found, last = self._blamed(one, lambda: ask(one, top))
        if other is not None:
            if not found:  # a server can keep something back: what one does not have, the other may
                one, other = other, one
                found, last = self._blamed(one, lambda: ask(one, top))
            mine = self._blamed(one, lambda: one.headers(last, 1))
            if self._blamed(other, lambda: other.headers(last, 1)) != mine:
                raise Untrusted(f"{one.name} and {other.name} have different blocks at {last}")
        return found

    def _blamed(self, peer: Peer, ask: Callable[[], Found]) -> Found:
        try:
            return ask()
        except TROUBLE as error:
            self.failed(peer, error)
            raise Untrusted(f"{peer.name}: {error}") from error

    def nobody(self, what: str, said: Sequence[str]) -> ChainUnreachable:
        """That none of them told, and what each said."""
        return ChainUnreachable(
            f"no Bitcoin server of the network {self._network.name} told {what}",
            why="; ".join(dict.fromkeys(said)),
            fix=_FIX,
        )
