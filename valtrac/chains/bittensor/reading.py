"""Asking Bittensor nodes: one at a time, each answer held against the header of its block, the next one after a lie."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from valtrac.chains.asking import Asker
from valtrac.chains.bittensor import answers, extrinsics, proofs
from valtrac.chains.bittensor.blocks import Block, from_hex, time_set_by
from valtrac.chains.bittensor.loop import BackgroundLoop, CallersLoop
from valtrac.chains.bittensor.proofs import Header
from valtrac.chains.bittensor.verdicts import is_verdict, knows_no_such_method
from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.chain import Head, Payment
from valtrac.core.errors import OutcomeUnknown, Refused
from valtrac.core.text import plain

T = TypeVar("T")
_HEADERS = 256
Storage = Callable[[Any, str, str, bytes], Coroutine[Any, Any, Any]]
"""(substrate, pallet, item, bytes) -> the value of a storage item, decoded by the runtime's own types, to the last
byte."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where to ask. open: number of a node -> a new SDK `Substrate` for it, not connected. names: how each is called
    on the screen. true_from: the first block whose header is true; a chain for development may have none.
    justifies_every: in how many blocks one is kept with the votes that made it final. in_process: there is no network
    between this program and the chain."""

    open: Callable[[int], Any]
    names: Sequence[str]
    true_from: Callable[[], int] = field(default=lambda: 0)
    justifies_every: Callable[[], int] = field(default=lambda: 512)
    in_process: bool = False


class NodeReader(Asker):
    """One node of a network, and the next of them once it lies. Blocking; safe to use from several threads."""

    fix_missing: ClassVar[str] = (
        "wait for it, or name a node that keeps the state of every block: VALTRAC_ARCHIVE_ENDPOINTS"
    )

    def __init__(self, nodes: Nodes, *, network: str, timeout_s: float, decode_storage: Storage) -> None:
        super().__init__(network, timeout_s)
        self._nodes = nodes
        self._left: dict[int, str] = {}
        self._current = 0
        self.substrate = nodes.open(0)
        self._decode_storage = decode_storage
        self._loop = (CallersLoop if nodes.in_process else BackgroundLoop)(f"chain-{network}")
        self._connecting: asyncio.Lock | None = None
        self._headers: OrderedDict[str, Header] = OrderedDict()
        self._gives_proofs: bool | None = None

    @property
    def left(self) -> tuple[str, ...]:
        """Nodes that are not asked any more, and why, in words."""
        return tuple(f"{self._nodes.names[number]}: {why}" for number, why in self._left.items())

    @property
    def asked(self) -> str:
        """The name of the node that is asked now."""
        return self._nodes.names[self._current]

    def close(self) -> None:
        """Let go of the connection and its thread. Idempotent."""
        with contextlib.suppress(Exception):  # a connection that cannot be closed properly is gone all the same
            self._loop.run(self.substrate.close, 5)
        self._loop.close()

    def ask(self, what: str, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer, or ChainUnreachable: no reply, an error of the node's, or an answer that cannot be so.

        A node that gave such an answer is left for the next one, where there is one.
        """

        async def connected() -> T:
            await self._connect()
            return await question()

        with self.in_words(what):
            return self._loop.run(connected, self.timeout_s)

    def distrusted(self, why: str) -> tuple[str, str]:
        """(the name of the node that is asked now, what happens): it is left, for the next one where there is one."""
        return self.asked, self._leave(why)

    def send(self, raw: bytes) -> None:
        """Hand signed bytes to the node once. Refused in the node's words; OutcomeUnknown where the reply was lost."""

        async def submit() -> Any:
            await self._connect()
            return await self.request("author_submitExtrinsic", ["0x" + raw.hex()])

        try:
            answer = self._loop.run(submit, self.timeout_s)
        except Exception as error:
            if is_verdict(error):
                raise Refused(
                    "the node refused the transaction",
                    why=plain(error),
                    fix="look at what became of it before anything else is sent",
                ) from error
            words = plain(error) or f"no reply within {self.timeout_s:g} s"
            raise OutcomeUnknown(
                "it is not known whether the node took the transaction: the reply was lost", why=words
            ) from error
        if answer != extrinsics.tx_id_of(raw):
            raise OutcomeUnknown("the node took a transaction and calls it by another id", why=plain(answer))

    async def compose(self, payments: tuple[Payment, ...]) -> Any:
        """The call of these payments: a plain transfer, or one batch_all of transfers."""
        calls = [
            await self.substrate.compose(
                ("Balances", "transfer_keep_alive", {"dest": payment.address, "value": payment.units})
            )
            for payment in payments
        ]
        if len(calls) == 1:
            return calls[0]
        return await self.substrate.compose(("Utility", "batch_all", {"calls": calls}))

    async def hash_at(self, number: int) -> str:
        """The hash of a height, past the SDK's cache. Untrusted where the node has no such block."""
        block_hash = await self.request("chain_getBlockHash", [number])
        if block_hash is None:
            raise Missing(f"it has no block {number}")
        return answers.hash_of(block_hash, f"the hash of block {number}")

    async def request(self, method: str, params: list[Any]) -> Any:
        """The result of a raw request."""
        return await self.substrate.raw.rpc_request(method, params)

    async def block_of(self, hash_: str) -> Block:
        """A block by hash. Untrusted where the node has none, or shows one that does not fit that hash."""
        answer = await self.request("chain_getBlock", [hash_])
        if answer is None:
            raise Missing(f"it has no block {hash_}")
        raw = tuple(from_hex(text) for text in answer["block"]["extrinsics"])
        header = self._checked(proofs.header_of(answer["block"]["header"]), hash_)
        if self._is_bound(header):
            proofs.check_body(header, raw)
        moment = (
            time_set_by(raw[0]) if raw else answers.moment(await self.substrate.query("Timestamp", "Now", [], hash_))
        )
        return Block(Head(header.number, hash_, header.parent, moment), raw)

    async def proven(self, at: Head, key: bytes) -> tuple[bool, bytes | None]:
        """(whether the node proves it, what stands under a key after a block; None: nothing).

        Nodes keep proofs for the newest 256 blocks; a gateway may give none at all: then nothing is proven.
        """
        if self._gives_proofs is False:
            return False, None
        header = await self.header(at.hash)
        if header.number != at.number or not self._is_bound(header):
            return False, None
        try:
            answer = await self.request("state_getReadProof", [["0x" + key.hex()], at.hash])
        except Exception as error:
            if knows_no_such_method(error):
                self._gives_proofs = False
            return False, None
        return True, proofs.stored(header, answer["proof"], key)

    async def events_of(self, at: Head) -> tuple[bool, list[dict[str, Any]]]:
        """(whether they are proven, the events of a block)."""
        is_proven, raw = await self.proven(at, proofs.EVENTS_KEY)
        if not is_proven:
            return False, await self.substrate.events(at.hash)
        return True, [] if raw is None else await self._decode_storage(self.substrate, "System", "Events", raw)

    async def decoded_call(self, data: bytes) -> Any:
        """A call decoded by the SDK's codec, or None where the bytes are no call."""
        try:
            return await self.substrate.decode_scale("Call", data)
        except ValueError:
            return None

    def _leave(self, why: str) -> str:
        """Ask the next node from now on, where one is left that did not lie; what the owner should do, in words."""
        self._left[self._current] = why
        following = next((number for number in range(len(self._nodes.names)) if number not in self._left), None)
        if following is None:
            self._left.clear()  # all of them: they are asked again in turn, and nothing is believed meanwhile
            if len(self._nodes.names) == 1:
                return "ask another node"
            following = (self._current + 1) % len(self._nodes.names)
        before, self.substrate = self.substrate, self._nodes.open(following)
        self._current, self._gives_proofs, self._connecting = following, None, None
        self._headers.clear()
        with contextlib.suppress(Exception):
            self._loop.run(before.close, 5)
        return f"{self._nodes.names[following]} is asked from now on"

    async def _connect(self) -> None:
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            await self.substrate.connect()

    def justifies_every(self) -> int:
        """In how many blocks one is kept with the votes that made it final."""
        return self._nodes.justifies_every()

    def true_from(self) -> int:
        """The first block whose header is true."""
        return self._nodes.true_from()

    async def header(self, hash_: str) -> Header:
        """The header of a block, which hashes to its name."""
        if hash_ not in self._headers:
            answer = await self.request("chain_getHeader", [hash_])
            if answer is None:
                raise Missing(f"it has no block {hash_}")
            self._checked(proofs.header_of(answer), hash_)
        return self._headers[hash_]

    def _checked(self, header: Header, hash_: str) -> Header:
        if header.hash != hash_ and self._is_bound(header):
            raise Untrusted(f"the header of block {header.number} has another hash than the block")
        self._headers[hash_] = header
        while len(self._headers) > _HEADERS:
            self._headers.popitem(last=False)
        return header

    def _is_bound(self, header: Header) -> bool:
        return header.number >= self._nodes.true_from()
