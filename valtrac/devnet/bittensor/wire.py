"""The few raw requests that a payer needs beyond the SDK's protocol, answered as a node does.

The SDK's own connection offers the same under the same names (`RpcSubstrate.raw`).
"""

from __future__ import annotations

import sqlite3
from typing import Any

from bittensor.result import ChainError

from valtrac.devnet.bittensor import faults, headers, justifying, reads, sending, state
from valtrac.devnet.bittensor.access import ChainFile
from valtrac.devnet.bittensor.codec import (
    SPEC_VERSION,
    TRANSACTION_VERSION,
    SignedExtrinsic,
    SubstrateRequestException,
    UnsignedExtrinsic,
    attach_signature,
    codec,
    rpc_error,
)

_MOST_KEYS = 1000


class Wire:
    """Raw requests to one rehearsal chain."""

    def __init__(self, substrate: ChainFile) -> None:
        self._chain = substrate

    async def rpc_request(self, method: str, params: list[Any] | None = None) -> Any:
        """The result of a JSON-RPC request.

        SubstrateRequestException: with a payload where the node answers with an error, without
        one where the connection was lost.
        """
        try:
            return await self._answer(method, params or [])
        except ChainError as error:
            raise SubstrateRequestException(str(error)) from error

    async def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "author_submitExtrinsic":
            return await sending.submit(self._chain, bytes.fromhex(params[0].removeprefix("0x")))
        db = await self._chain.access(method)
        if method == "chain_getBlockHash":
            block = state.block_by_number(db, params[0])
            return self._chain.genesis(db) if params[0] == 0 else block and block.hash
        if method == "chain_getFinalizedHead":
            final = state.block_by_number(db, state.settings(db).finalized)
            return final and (final.hash if final.number else self._chain.genesis(db))
        if method == "chain_getHead":
            return state.head(db).hash
        if method in ("chain_getHeader", "chain_getBlock"):
            block = state.head(db) if not params or params[0] is None else self._chain.block(db, params[0])
            if block is None or method == "chain_getHeader":
                return block and headers.header(block)
            extrinsics = ["0x" + raw.hex() for raw in reads.body(db, block)]
            proofs = justifying.justifications(db, block)
            return {"block": {"header": headers.header(block), "extrinsics": extrinsics}, "justifications": proofs}
        if method == "account_nextIndex":
            return reads.next_index(db, params[0])
        if method == "state_getReadProof":
            return self._proof(db, *params)
        if method == "state_getKeysPaged":
            return self._keys(db, *params)
        if method == "state_getRuntimeVersion":
            return {
                "specName": "node-subtensor",
                "specVersion": SPEC_VERSION,
                "transactionVersion": TRANSACTION_VERSION,
            }
        raise rpc_error(-32601, f"Method not found: {method}")

    def _keys(
        self, db: sqlite3.Connection, prefix: str, count: int, after: str | None = None, at: str | None = None
    ) -> list[str]:
        if count > _MOST_KEYS:
            raise rpc_error(4002, f"count exceeds maximum value. value: {count}, max: {_MOST_KEYS}")
        start = None if after is None else bytes.fromhex(after.removeprefix("0x"))
        block = self._chain.state_at(db, at)
        keys = reads.storage_keys(db, bytes.fromhex(prefix.removeprefix("0x")), count, start, block)
        return ["0x" + key.hex() for key in keys]

    def _proof(self, db: sqlite3.Connection, keys: list[str], at: str | None = None) -> dict[str, Any]:
        if faults.fault(db, "no_proofs"):
            raise rpc_error(-32601, "Method not found: state_getReadProof")
        block = self._chain.state_at(db, at)
        wanted = [bytes.fromhex(key.removeprefix("0x")) for key in keys]
        if headers.EVENTS_KEY in wanted and faults.events_missing(db, block.number):
            raise rpc_error(4003, "Client error: Api called for an unknown Block")
        nodes = headers.proof(db, block, wanted)
        return {"at": block.hash, "proof": ["0x" + node.hex() for node in nodes]}

    async def get_account_next_index(self, address: str, *, use_cache: bool = True) -> int:
        """The next nonce of an account; there is no cache here."""
        return int(await self.rpc_request("account_nextIndex", [address]))

    async def attach_signature(self, unsigned: UnsignedExtrinsic, signature: bytes | str) -> SignedExtrinsic:
        """A prepared extrinsic with its signature; local work."""
        return attach_signature(codec(), unsigned, signature)
