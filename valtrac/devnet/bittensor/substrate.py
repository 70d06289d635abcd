"""The chain behind the SDK's `Substrate` protocol: the same calls and answers as a node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from bittensor.balance import Balance
from bittensor.result import ChainError, ExtrinsicResult, chain_error_from_substrate_request

from valtrac.devnet.bittensor import dispatch, headers, reads, sending, state
from valtrac.devnet.bittensor.access import ChainFile, Hook
from valtrac.devnet.bittensor.codec import (
    SPEC_VERSION,
    SignedExtrinsic,
    SubstrateRequestException,
    UnsignedExtrinsic,
    attach_signature,
    codec,
    multisig_account,
    prepare,
    sign_unsigned,
    take_apart,
)
from valtrac.devnet.bittensor.wire import Wire
from valtrac.devnet.bittensor.world import Clock


class DevSubstrate(ChainFile):
    """One connection to a rehearsal chain. Reads raise ChainError; a refused write is a result.

    clock: seconds since 1970. before_access: hooks, so that a test can act between any two steps.
    """

    def __init__(self, path: Path | str, *, clock: Clock = time.time, before_access: Sequence[Hook] = ()) -> None:
        super().__init__(path, clock=clock, before_access=before_access)
        self.token_symbols: dict[int, str] = {}
        self.raw = Wire(self)

    # Blocks

    async def block_hash(self, block: int | None = None) -> str:
        """The hash of a height (default: the head)."""
        db = await self.access("block_hash")
        if block == 0:
            return self.genesis(db)
        row = state.head(db) if block is None else state.block_by_number(db, block)
        if row is None:
            raise ChainError(f"no block at height {block}")
        return row.hash

    async def block_number(self) -> int:
        """The height of the head."""
        return state.head(await self.access("block_number")).number

    async def finalized_block_number(self) -> int:
        """The height of the newest final block."""
        return state.settings(await self.access("finalized_block_number")).finalized

    async def block_time(self) -> float:
        """Seconds per block."""
        return state.settings(await self.access("block_time")).block_ms / 1000

    async def spec_version(self) -> int:
        """The runtime's version."""
        await self.access("spec_version")
        return SPEC_VERSION

    async def get_block(self, block_number: int | None = None, block_hash: str | None = None) -> dict[str, Any] | None:
        """Header and decoded extrinsics; None for a block that this chain does not have."""
        if block_hash is not None and block_number is not None:
            raise ValueError("Provide either block_hash or block_number, not both")
        db = await self.access("get_block")
        block = self.block(db, block_hash) if block_number is None else state.block_by_number(db, block_number)
        if block is None:
            return None
        header = {**headers.header(block), "number": block.number, "hash": block.hash}
        return {"header": header, "extrinsics": [codec().decode_extrinsic(raw) for raw in reads.body(db, block)]}

    async def blocks(self, *, finalized: bool = False) -> AsyncIterator[dict[str, Any]]:
        """Headers as blocks appear (or become final), starting with the newest."""
        seen = None
        while True:
            db = await self.access("blocks")
            top = state.settings(db).finalized if finalized else state.head(db).number
            for number in range(top if seen is None else seen + 1, top + 1):
                block = state.block_by_number(db, number)
                if block is not None:
                    yield {"header": {**headers.header(block), "number": number}}
            seen = top
            await asyncio.sleep(0.05)

    # State

    async def query(
        self, module: str, storage_function: str, params: list[Any] | None = None, block_hash: str | None = None
    ) -> Any:
        """One storage item at a block."""
        db = await self.access("query")
        return reads.storage(db, module, storage_function, params or [], self.state_at(db, block_hash))

    async def query_map(
        self, module: str, storage_function: str, params: list[Any] | None = None, block_hash: str | None = None
    ) -> list[tuple[Any, Any]]:
        """A storage map under a prefix at a block."""
        db = await self.access("query_map")
        return reads.storage_map(db, module, storage_function, params or [], self.state_at(db, block_hash))

    async def map_has_entries(
        self, module: str, storage_function: str, params: list[Any], block_hash: str | None = None
    ) -> bool:
        """Whether a storage map has anything under a prefix."""
        return bool(await self.query_map(module, storage_function, params, block_hash))

    async def query_batch(
        self, module: str, storage_function: str, param_sets: list[list[Any]], block_hash: str | None = None
    ) -> list[Any]:
        """One storage item for many keys."""
        return [await self.query(module, storage_function, params, block_hash) for params in param_sets]

    async def runtime_call(self, api: str, method: str, params: list[Any], block_hash: str | None = None) -> Any:
        """A call of the runtime's API at a block."""
        db = await self.access("runtime_call")
        return reads.runtime(db, api, method, params, self.state_at(db, block_hash))

    async def events(self, block_hash: str | None = None) -> list[dict[str, Any]]:
        """The events of a block."""
        db = await self.access("events")
        return reads.events(db, self.state_at(db, block_hash))

    async def constant(self, module: str, name: str) -> Any:
        """A constant of the runtime; None where there is none of that name."""
        await self.access("constant")
        return codec().constant(module, name)

    async def decode_scale(self, type_string: str, data: Any) -> Any:
        """Bytes or 0x-hex decoded as a type of the runtime."""
        raw = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else bytes(data)
        return codec().decode(type_string, raw)

    async def account_next_index(self, address: str) -> int:
        """The next nonce of an account, counting the pool."""
        return reads.next_index(await self.access("account_next_index"), address)

    async def mev_next_key(self) -> bytes | None:
        """This chain has no shield."""
        return None

    def balance(self, rao: int, netuid: int = 0) -> Balance:
        """An amount tagged with its subnet's symbol."""
        return Balance(int(rao), netuid, self.token_symbols.get(netuid) if netuid else None)

    # Calls, fees, signing

    async def compose(self, call: Any) -> Any:
        """A (module, function, params) call as bytes."""
        module, function, params = call
        return codec().compose_call(module, function, params)

    async def estimate_fee(self, call: Any, keypair: Any) -> Balance:
        """The fee of a call, for an extrinsic that never dies (one byte shorter, as the SDK asks)."""
        tree, length = await self._estimated(call, keypair)
        return Balance.from_rao(dispatch.fee_units(tree, length))

    async def estimate_weight(self, call: Any, keypair: Any) -> dict[str, int]:
        """The weight of a call."""
        tree, _ = await self._estimated(call, keypair)
        return {"ref_time": dispatch.ref_time(tree), "proof_size": 7791}

    async def _estimated(self, call: Any, keypair: Any) -> tuple[dict[str, Any], int]:
        unsigned = await self.prepare(call, address=keypair.ss58_address, period=None)
        data = attach_signature(codec(), unsigned, b"\x00" * 64).data
        return take_apart(data).call, len(data)

    async def prepare(
        self,
        call: Any,
        *,
        address: str,
        crypto_type: int = 1,
        nonce: int | None = None,
        period: int | None = 128,
        tip: int = 0,
        metadata_hash: bytes | None = None,
    ) -> UnsignedExtrinsic:
        """What is to be signed, anchored at the newest final block."""
        db = await self.access("prepare")
        return prepare(
            call,
            address=address,
            crypto_type=crypto_type,
            tip=tip,
            period=period,
            nonce=reads.next_index(db, address) if nonce is None else nonce,
            current=state.settings(db).finalized,
            genesis=self.genesis(db),
            metadata_hash=metadata_hash,
            birth_hash=lambda number: self.hash_of(db, number),
        )

    async def _signed(self, call: Any, keypair: Any, nonce: int | None, period: int | None) -> SignedExtrinsic:
        unsigned = await self.prepare(
            call, address=keypair.ss58_address, crypto_type=keypair.crypto_type, nonce=nonce, period=period
        )
        return attach_signature(codec(), unsigned, await sign_unsigned(unsigned, keypair))

    async def sign_extrinsic(self, call: Any, keypair: Any, *, nonce: int, period: int) -> tuple[bytes, str]:
        """Signed bytes and their hash, not sent."""
        signed = await self._signed(call, keypair, nonce, period)
        return signed.data, signed.extrinsic_hash

    # Sending

    async def submit_signed(
        self,
        extrinsic: SignedExtrinsic,
        keypair: Any,
        *,
        wait_for_inclusion: bool = True,
        wait_for_finalization: bool = True,
    ) -> ExtrinsicResult:
        """Send signed bytes; a refusal is a result with success False."""
        try:
            tx_id = await sending.submit(self, extrinsic.data)
        except SubstrateRequestException as error:
            refused = chain_error_from_substrate_request(error)
            return ExtrinsicResult(success=False, message=refused.message, error=refused)
        if not (wait_for_inclusion or wait_for_finalization):
            return ExtrinsicResult(success=True, message="Submitted (not waiting).")
        return await sending.watched(self, tx_id, final=wait_for_finalization)

    async def submit_signature(
        self,
        unsigned: UnsignedExtrinsic,
        signature: bytes | str,
        *,
        wait_for_inclusion: bool = True,
        wait_for_finalization: bool = True,
    ) -> ExtrinsicResult:
        """Assemble and send what was signed elsewhere."""
        return await self.submit_signed(
            attach_signature(codec(), unsigned, signature),
            None,
            wait_for_inclusion=wait_for_inclusion,
            wait_for_finalization=wait_for_finalization,
        )

    async def submit(
        self,
        call: Any,
        keypair: Any,
        *,
        nonce: int | None = None,
        period: int | None = 128,
        wait_for_inclusion: bool = True,
        wait_for_finalization: bool = True,
    ) -> ExtrinsicResult:
        """Sign and send."""
        return await self.submit_signed(
            await self._signed(call, keypair, nonce, period),
            keypair,
            wait_for_inclusion=wait_for_inclusion,
            wait_for_finalization=wait_for_finalization,
        )

    async def find_extrinsic(self, extrinsic_hash: str, block_hash: str) -> ExtrinsicResult | None:
        """The outcome of an extrinsic of that block; None when the block does not hold it."""
        db = await self.access("find_extrinsic")
        return sending.found(db, extrinsic_hash, self.state_at(db, block_hash))

    # Multisig

    def multisig_account(self, signatories: list[str], threshold: int) -> Any:
        """The address of a multisig."""
        return multisig_account(signatories, threshold)

    async def submit_multisig(
        self,
        call: Any,
        keypair: Any,
        multisig_account: Any,
        *,
        wait_for_inclusion: bool = True,
        wait_for_finalization: bool = True,
    ) -> ExtrinsicResult:
        """Not offered here: ChainError."""
        raise ChainError("the rehearsal chain does not execute multisig calls")
