"""Handing signed bytes to the chain, and following what becomes of them."""

from __future__ import annotations

import asyncio
import sqlite3

from bittensor.balance import Balance
from bittensor.result import ChainError, ExtrinsicResult

from valtrac.devnet.bittensor import admission, faults, produce, reads, state
from valtrac.devnet.bittensor.access import CONNECTION_LOST, ChainFile
from valtrac.devnet.bittensor.codec import codec, resolve_outcome, tx_id_of
from valtrac.devnet.bittensor.state import BlockRow


async def submit(chain: ChainFile, raw: bytes) -> str:
    """Hand bytes to the pool; the transaction's id.

    ChainError: the request or the reply was lost. SubstrateRequestException: the chain says no.
    A chain without a clock includes what is ready in a block at once.
    """
    db = await chain.access("submit")
    if faults.spend(db, "lose_request"):
        raise ChainError(CONNECTION_LOST)
    try:
        with state.writing(db):
            tx_id = admission.admit(db, raw, chain.genesis(db))
            _include_at_once(db)
    finally:
        if faults.spend(db, "lose_reply"):
            raise ChainError(CONNECTION_LOST)
    return tx_id


def _include_at_once(db: sqlite3.Connection) -> None:
    settings = state.settings(db)
    if settings.block_time_s or faults.fault(db, "hold_pool") or not produce.ready(db):
        return
    produce.grow(db, 1 + (settings.finality_lag if settings.auto_finalize else 0))


async def watched(chain: ChainFile, tx_id: str, *, final: bool) -> ExtrinsicResult:
    """Wait until a transaction is in a block (final: in one that cannot be undone) or gone from the pool."""
    while True:
        db = await chain.access("watch")
        row = db.execute("SELECT block FROM extrinsics WHERE tx_id = ?", (tx_id,)).fetchone()
        if row is not None and not (final and row[0] > state.settings(db).finalized):
            outcome = found(db, tx_id, chain.state_at(db, chain.hash_of(db, row[0])))
            if outcome is not None:
                return outcome
        elif row is None and db.execute("SELECT 1 FROM pool WHERE tx_id = ?", (tx_id,)).fetchone() is None:
            return ExtrinsicResult(
                success=False, message="Extrinsic dropped", error=ChainError("Extrinsic dropped", "Dropped")
            )
        await asyncio.sleep(0.02)


def found(db: sqlite3.Connection, tx_id: str, block: BlockRow) -> ExtrinsicResult | None:
    """The outcome of an extrinsic of that block in the SDK's terms; None when the block does not hold it."""
    ids = [tx_id_of(raw) for raw in reads.body(db, block)]
    if tx_id not in ids:
        return None
    position = ids.index(tx_id)
    own = [event for event in reads.events(db, block) if event["extrinsic_idx"] == position]
    outcome, place_id = resolve_outcome(own, codec()), f"{block.number}-{position:04d}"
    if outcome["is_success"]:
        return ExtrinsicResult(
            success=True,
            message="Success",
            block_hash=block.hash,
            extrinsic_id=place_id,
            fee=Balance.from_rao(outcome["total_fee_amount"] or 0),
            events=own,
        )
    why = outcome["error_message"] or {"name": None, "docs": "unknown"}
    text = " ".join(why["docs"]) if isinstance(why["docs"], list) else str(why["docs"])
    return ExtrinsicResult(
        success=False, message=text, block_hash=block.hash, extrinsic_id=place_id, error=ChainError(text, why["name"])
    )
