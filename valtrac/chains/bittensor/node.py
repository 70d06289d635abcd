"""The chain socket over any implementation of the SDK's `Substrate`: real nodes or a rehearsal chain.

Blocks, hashes, nonces and submissions go through raw requests, because the SDK caches hashes and
nonces, and because only a raw answer tells "the node says no" from "the reply was lost".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from valtrac.chains import untrusted
from valtrac.chains.bittensor import answers, extrinsics, outcomes, proofs, swaps
from valtrac.chains.bittensor.payments import PublicKey, check_payments
from valtrac.chains.bittensor.reading import NodeReader, Nodes, Storage
from valtrac.chains.untrusted import Untrusted
from valtrac.core.addresses import key_of
from valtrac.core.chain import BlockView, DecodedTx, Delegate, Head, Identity, Limits, Outcome, Payment
from valtrac.core.money import TAO

BATCH_CALLS_LIMIT = 10_922
MOST_PAYMENTS = 1_500
_NO_SUCH_API = ("not found in registry", "is not found")


class BittensorChain(NodeReader):
    """`PayoutChain` over the nodes of one chain. Blocking; safe to use from several threads.

    name_error: (pallet, error) -> the name and meaning of a pallet's error.
    """

    asset = TAO

    def __init__(
        self,
        nodes: Nodes,
        *,
        network: str,
        timeout_s: float,
        name_error: outcomes.NameModuleError,
        decode_storage: Storage,
    ) -> None:
        super().__init__(nodes, network=network, timeout_s=timeout_s, decode_storage=decode_storage)
        self._name_error = name_error

    def identity(self) -> Identity:
        """Which chain this node serves, at its head."""

        async def read() -> Identity:
            genesis = answers.hash_of(await self.request("chain_getBlockHash", [0]), "the genesis hash")
            version = untrusted.whole(await self.substrate.spec_version(), "the runtime's version", 2**32)
            return Identity(self.network, genesis, version)

        return self.ask("which chain it serves", read)

    def finalized(self) -> Head:
        """The newest block that can no longer be undone."""

        async def read() -> Head:
            hash_ = answers.hash_of(await self.request("chain_getFinalizedHead", []), "the finalized head")
            head = (await self.block_of(hash_)).head
            if answers.hash_of(await self.request("chain_getBlockHash", [head.number]), "a hash") != hash_:
                raise Untrusted(f"two hashes for the finalized block {head.number}")
            return head

        return self.ask("its finalized head", read)

    def block(self, number: int) -> BlockView:
        """A block by height with the ids of its extrinsics."""

        async def read() -> BlockView:
            block = await self.block_of(await self.hash_at(number))
            if block.head.number != number:
                raise Untrusted(f"asked for block {number}, got {block.head.number}")
            return BlockView(block.head, block.tx_ids, block.raw)

        return self.ask(f"block {number}", read)

    def balance(self, address: str, at: Head) -> int:
        """Rao that an account can spend at a block, or has to keep; 0 where it does not exist."""
        return self._account(address, at).free_units

    def left_between(self, address: str, before: Head, after: Head) -> int | None:
        """Rao by which an account's balance fell between the ends of two blocks."""
        return self.balance(address, before) - self.balance(address, after)

    def nonce(self, address: str, at: Head) -> int:
        """How many transactions of an account the chain counts at a block; 0 where it does not exist."""
        return self._account(address, at).nonce

    def _account(self, address: str, at: Head) -> answers.Account:
        key_of(address)

        async def read() -> answers.Account:
            is_proven, raw = await self.proven(at, proofs.account_key(address))
            if is_proven:
                return proofs.account(raw)
            return answers.account(await self.substrate.query("System", "Account", [address], at.hash))

        return self.ask(f"an account at block {at.number}", read)

    def swaps_announced(self, addresses: Sequence[str], at: Head) -> frozenset[str]:
        """Those of these addresses whose coldkey has a swap announced or disputed at a block."""
        keys = {address: key_of(address) for address in addresses}

        async def read() -> frozenset[str]:
            announced = await swaps.announced(self.request, at.hash)
            return frozenset(address for address, key in keys.items() if key in announced)

        return self.ask(f"the announced coldkey swaps at block {at.number}", read)

    def next_index(self, address: str) -> int:
        """The next nonce counting the pool; asked of the node, past the SDK's cache."""
        key_of(address)

        async def read() -> int:
            return untrusted.whole(await self.request("account_nextIndex", [address]), "a nonce", 2**32)

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
        """A signed transaction read back from its bytes alone, without asking a node what they mean.

        ValueError if it holds anything but payments.
        """
        outside = extrinsics.envelope(raw)
        if outside.tip_units:
            raise ValueError("a transaction with a tip")
        return replace(self.outside(raw), payments=extrinsics.payments_in(outside.call), all_or_nothing=True)

    def outside(self, raw: bytes) -> DecodedTx:
        """What surrounds the call of a signed, mortal extrinsic of any kind."""
        tx = extrinsics.envelope(raw)
        return DecodedTx(tx.tx_id, tx.signer, tx.nonce, tx.era_period, tx.era_phase, (), all_or_nothing=False)

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """What became of an extrinsic of that block; None when the block does not hold it."""

        async def read() -> Outcome | None:
            block = await self.block_of(at.hash)
            if block.head.number != at.number:
                raise Untrusted(f"asked for block {at.number}, got {block.head.number}")
            if tx_id not in block.tx_ids:
                return None
            position = block.tx_ids.index(tx_id)
            is_proven, events = await self.events_of(at)
            own = [event for event in events if event["extrinsic_idx"] == position]
            outcome = outcomes.outcome(await self._call_of(block.raw[position]), own, self._name_error)
            return replace(outcome, proven=is_proven)

        return self.ask(f"the events of block {at.number}", read)

    async def _call_of(self, raw: bytes) -> Any:
        """The call of a signed extrinsic, or None where it is of a kind that we never send."""
        try:
            return await self.decoded_call(extrinsics.envelope(raw).call)
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
