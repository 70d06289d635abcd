"""The chain socket over any implementation of the SDK's `Substrate`: a real node or a rehearsal chain.

Blocks, hashes, nonces and submissions go through raw requests, because the SDK caches hashes and
nonces, and because only a raw answer tells "the node says no" from "the reply was lost".
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from valtrac.chains import untrusted
from valtrac.chains.bittensor import answers, extrinsics, outcomes, swaps
from valtrac.chains.bittensor.blocks import Block, from_hex, time_set_by
from valtrac.chains.bittensor.loop import BackgroundLoop
from valtrac.chains.bittensor.payments import PublicKey, check_payments
from valtrac.chains.bittensor.verdicts import is_verdict
from valtrac.chains.untrusted import Missing, Untrusted
from valtrac.core.addresses import key_of
from valtrac.core.chain import BlockView, DecodedTx, Delegate, Head, Identity, Limits, Outcome, Payment
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.core.money import TAO
from valtrac.core.text import plain

T = TypeVar("T")
BATCH_CALLS_LIMIT = 10_922
MOST_PAYMENTS = 1_500
_NO_SUCH_API = ("not found in registry", "is not found")


class BittensorChain:
    """`PayoutChain` over one `Substrate` object. Blocking; safe to use from several threads.

    name_error: (pallet, error) -> the name and meaning of a pallet's error.
    """

    asset = TAO

    def __init__(self, substrate: Any, *, network: str, timeout_s: float, name_error: outcomes.NameModuleError) -> None:
        self.substrate = substrate
        self.network = network
        self.timeout_s = timeout_s
        self._name_error = name_error
        self._loop = BackgroundLoop(f"chain-{network}")
        self._connecting: asyncio.Lock | None = None

    # The socket

    def identity(self) -> Identity:
        """Which chain this node serves, at its head."""

        async def read() -> Identity:
            genesis = answers.hash_of(await self._request("chain_getBlockHash", [0]), "the genesis hash")
            version = untrusted.whole(await self.substrate.spec_version(), "the runtime's version", 2**32)
            return Identity(self.network, genesis, version)

        return self.ask("which chain it serves", read)

    def finalized(self) -> Head:
        """The newest block that can no longer be undone."""

        async def read() -> Head:
            hash_ = answers.hash_of(await self._request("chain_getFinalizedHead", []), "the finalized head")
            head = (await self._block(hash_)).head
            if answers.hash_of(await self._request("chain_getBlockHash", [head.number]), "a hash") != hash_:
                raise Untrusted(f"two hashes for the finalized block {head.number}")
            return head

        return self.ask("its finalized head", read)

    def block(self, number: int) -> BlockView:
        """A block by height with the ids of its extrinsics."""

        async def read() -> BlockView:
            block = await self._block(await self.hash_at(number))
            if block.head.number != number:
                raise Untrusted(f"asked for block {number}, got {block.head.number}")
            return BlockView(block.head, block.tx_ids, block.raw)

        return self.ask(f"block {number}", read)

    def balance(self, address: str, at: Head) -> int:
        """Rao that an account can spend at a block, or has to keep; 0 where it does not exist."""
        return self._account(address, at).free_units

    def nonce(self, address: str, at: Head) -> int:
        """How many transactions of an account the chain counts at a block; 0 where it does not exist."""
        return self._account(address, at).nonce

    def _account(self, address: str, at: Head) -> answers.Account:
        key_of(address)

        async def read() -> answers.Account:
            return answers.account(await self.substrate.query("System", "Account", [address], at.hash))

        return self.ask(f"an account at block {at.number}", read)

    def swaps_announced(self, addresses: Sequence[str], at: Head) -> frozenset[str]:
        """Those of these addresses whose coldkey has a swap announced or disputed at a block."""
        keys = {address: key_of(address) for address in addresses}

        async def read() -> frozenset[str]:
            announced = await swaps.announced(self._request, at.hash)
            return frozenset(address for address, key in keys.items() if key in announced)

        return self.ask(f"the announced coldkey swaps at block {at.number}", read)

    def next_index(self, address: str) -> int:
        """The next nonce counting the pool; asked of the node, past the SDK's cache."""
        key_of(address)

        async def read() -> int:
            return untrusted.whole(await self._request("account_nextIndex", [address]), "a nonce", 2**32)

        return self.ask("the next nonce", read)

    def limits(self) -> Limits:
        """What the runtime allows; far fewer payments than it would, for the sake of weight and length."""

        async def read() -> Limits:
            existential = await self.substrate.constant("Balances", "ExistentialDeposit")
            calls = await self.substrate.constant("Utility", "batched_calls_limit")
            most = BATCH_CALLS_LIMIT if calls is None else untrusted.whole(calls, "the batch limit")
            if most < 1:
                raise Untrusted("a runtime that takes no payments at all")
            return Limits(untrusted.whole(existential, "the existential deposit"), min(most, MOST_PAYMENTS))

        return self.ask("its limits", read)

    def delegate(self, hotkey: str, at: Head) -> Delegate | None:
        """The stakes on a hotkey at a block; None where it is not a delegate there."""
        key_of(hotkey)

        async def read() -> Delegate | None:
            info = await self.substrate.runtime_call("DelegateInfoRuntimeApi", "get_delegate", [hotkey], at.hash)
            if info is None:
                return None
            owner, take_raw, stakes = answers.stakes_by_netuid(info, hotkey)
            sums = answers.totals(
                await self.substrate.query_map("SubtensorModule", "TotalHotkeyAlpha", [hotkey], at.hash)
            )
            netuids = set(stakes) | {netuid for netuid, units in sums.items() if units}
            prices = {netuid: await self._price(netuid, at) for netuid in sorted(netuids)}
            return answers.delegate(hotkey, owner, take_raw, stakes, sums, prices)

        return self.ask(f"the stakes at block {at.number}", read)

    def estimate_fee(self, signer: str, payments: tuple[Payment, ...]) -> int:
        """What one all-or-nothing transaction with these payments would cost, in rao, as the node says."""
        public = PublicKey(signer, key_of(signer))
        check_payments(payments)

        async def read() -> int:
            fee = await self.substrate.estimate_fee(await self.compose(payments), public)
            return untrusted.whole(fee.rao, "a fee")

        return self.ask("a fee", read)

    def until(self, valid_until: int) -> str:
        """The last block that may hold a transaction."""
        return f"block {valid_until}"

    def over(self, valid_until: int, number: int) -> bool:
        """Whether an era has ended before this block."""
        return number > valid_until

    def signer(self, raw: bytes) -> str | None:
        """The address that signed an extrinsic of any kind; None: nobody, or it cannot be read."""
        return extrinsics.signer_of(raw)

    def decode(self, raw: bytes) -> DecodedTx:
        """A signed transaction read back from its bytes; ValueError if it holds anything but payments."""
        outside = extrinsics.envelope(raw)
        if outside.tip_units:
            raise ValueError("a transaction with a tip")
        call = self.ask("how to read a call", lambda: self._decoded_call(outside.call))
        if call is None:
            raise ValueError("the call cannot be decoded")
        return DecodedTx(
            outside.tx_id,
            outside.signer,
            outside.nonce,
            outside.era_period,
            outside.era_phase,
            answers.payments(call),
            all_or_nothing=True,
        )

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """What became of an extrinsic of that block; None when the block does not hold it."""

        async def read() -> Outcome | None:
            block = await self._block(at.hash)
            if block.head.number != at.number:
                raise Untrusted(f"asked for block {at.number}, got {block.head.number}")
            if tx_id not in block.tx_ids:
                return None
            position = block.tx_ids.index(tx_id)
            events = [event for event in await self.substrate.events(at.hash) if event["extrinsic_idx"] == position]
            return outcomes.outcome(await self._call_of(block.raw[position]), events, self._name_error)

        return self.ask(f"the events of block {at.number}", read)

    def close(self) -> None:
        """Let go of the connection and its thread. Idempotent."""
        with contextlib.suppress(Exception):  # a connection that cannot be closed properly is gone all the same
            self._loop.run(self.substrate.close, 5)
        self._loop.close()

    # For the payer on the same node

    def ask(self, what: str, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer, or ChainUnreachable: no reply, an error of the node's, or an answer that cannot be so."""

        async def connected() -> T:
            await self._connect()
            return await question()

        try:
            return self._loop.run(connected, self.timeout_s)
        except ValtracError:
            raise
        except TimeoutError as error:
            raise ChainUnreachable(
                f"the {self.network} node did not answer within {self.timeout_s:g} s",
                why=f"asked for {what}",
                fix="check the connection, then try again",
            ) from error
        except Missing as error:
            raise ChainUnreachable(
                f"the {self.network} node does not have {what}",
                why=plain(error),
                fix="wait for it, or ask a node that keeps more",
            ) from error
        except (Untrusted, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ChainUnreachable(
                f"the {self.network} node answered with something that cannot be trusted",
                why=f"asked for {what}: {plain(error)}",
                fix="ask another node",
            ) from error
        except Exception as error:
            raise ChainUnreachable(
                f"the {self.network} node did not tell {what}",
                why=plain(error),
                fix="check the connection and the node, then try again",
            ) from error

    def send(self, raw: bytes) -> None:
        """Hand signed bytes to the node once. Refused in the node's words; OutcomeUnknown where the reply was lost."""

        async def submit() -> Any:
            await self._connect()
            return await self._request("author_submitExtrinsic", ["0x" + raw.hex()])

        try:
            answer = self._loop.run(submit, self.timeout_s)
        except Exception as error:
            if is_verdict(error):
                raise Refused(
                    "the node refused the transaction",
                    why=plain(error),
                    fix="look at what became of it: run.py payout reconcile",
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
        block_hash = await self._request("chain_getBlockHash", [number])
        if block_hash is None:
            raise Missing(f"it has no block {number}")
        return answers.hash_of(block_hash, f"the hash of block {number}")

    # Inside

    async def _connect(self) -> None:
        if self._connecting is None:
            self._connecting = asyncio.Lock()
        async with self._connecting:
            await self.substrate.connect()

    async def _request(self, method: str, params: list[Any]) -> Any:
        return await self.substrate.raw.rpc_request(method, params)

    async def _block(self, hash_: str) -> Block:
        """A block by hash, as the node sent it. Untrusted where it has none."""
        answer = await self._request("chain_getBlock", [hash_])
        if answer is None:
            raise Missing(f"it has no block {hash_}")
        header, raw = answer["block"]["header"], tuple(from_hex(text) for text in answer["block"]["extrinsics"])
        number = untrusted.whole(int(header["number"], 16), "a height", 2**32)
        parent_hash = answers.hash_of(header["parentHash"], "a parent hash")
        block_hash = (
            await self._time(raw[0])
            if raw
            else answers.moment(await self.substrate.query("Timestamp", "Now", [], hash_))
        )
        return Block(Head(number, hash_, parent_hash, block_hash), raw)

    async def _time(self, first: bytes) -> Any:
        """The time that the first extrinsic of a block sets; it is unsigned: length, version, call."""
        _, start = extrinsics.compact(first, 0)
        call = await self._decoded_call(first[start + 1 :])
        return time_set_by(call)

    async def _decoded_call(self, data: bytes) -> Any:
        """A call decoded by the SDK's codec, or None where the bytes are no call."""
        try:
            return await self.substrate.decode_scale("Call", data)
        except ValueError:
            return None

    async def _call_of(self, raw: bytes) -> Any:
        """The call of a signed extrinsic, or None where it is of a kind that we never send."""
        try:
            return await self._decoded_call(extrinsics.envelope(raw).call)
        except ValueError:
            return None

    async def _price(self, netuid: int, at: Head) -> int | None:
        """Rao per alpha; None where the runtime has no such question or no such subnet."""
        if netuid == 0:
            return 10**9
        try:
            price = await self.substrate.runtime_call("SwapRuntimeApi", "current_alpha_price", [netuid], at.hash)
        except Exception as error:
            if any(words in str(error) for words in _NO_SUCH_API):
                return None
            raise
        return untrusted.whole(price, "a price") or None
