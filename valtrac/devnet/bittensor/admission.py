"""What the chain checks before a transaction may wait in its pool, in the order of the runtime."""

from __future__ import annotations

import json
import sqlite3

from valtrac.devnet.bittensor import codec, dispatch, produce, state
from valtrac.devnet.bittensor.codec import Parts, rpc_error

_LONGEST = 7_864_320


def admit(db: sqlite3.Connection, raw: bytes, genesis: str) -> str:
    """Take signed bytes into the pool; the transaction's id.

    Raises the transport's error with a node's own words: not readable, dead or not yet born,
    badly signed (which is also what a dead era or another chain looks like), nonce used,
    fee not covered, already in the pool, or its nonce taken by another one there.
    """
    try:
        parts = codec.take_apart(raw)
    except (ValueError, KeyError, TypeError) as error:
        raise rpc_error(1001, f"Extrinsic has invalid format: {error}") from error
    if len(raw) > _LONGEST:
        raise _invalid("Transaction would exhaust the block limits")
    if db.execute("SELECT 1 FROM pool WHERE tx_id = ?", (parts.tx_id,)).fetchone():
        raise rpc_error(1013, "Transaction Already Imported")
    known = _checked(db, parts, genesis, len(raw))
    for (text,) in db.execute("SELECT known FROM pool"):
        other = json.loads(text)
        if (other["signer"], other["nonce"]) == (known["signer"], known["nonce"]):
            raise rpc_error(
                1014,
                "Priority is too low: (1 vs 1)",
                "The transaction has too low priority to replace another transaction already in the pool.",
            )
    db.execute(
        "INSERT INTO pool (tx_id, raw, known) VALUES (?, ?, ?)", (parts.tx_id, raw, json.dumps(known, default=str))
    )
    return parts.tx_id


def _checked(db: sqlite3.Connection, parts: Parts, genesis: str, length: int) -> produce.Known:
    """What the pool keeps of a transaction, once signature, nonce and fee hold for the next block."""
    top = state.head(db).number
    birth = birth_of(parts, top + 1)
    row = state.block_by_number(db, birth)
    if row is None or (birth and birth < top - state.BLOCK_HASH_COUNT):
        raise _invalid("Transaction has an ancient birth block")
    birth_hash = row.hash if birth else genesis
    if not codec.signature_holds(parts, genesis=genesis, birth_hash=birth_hash):
        raise _invalid("Transaction has a bad signature")
    free, nonce = state.account(db, parts.signer, top)
    if parts.nonce < nonce:
        raise _invalid("Transaction is outdated")
    fee = dispatch.fee_units(parts.call, length) + parts.tip
    if free - fee < state.EXISTENTIAL:
        raise _invalid("Inability to pay some fees (e.g. account balance too low)")
    return {
        "signer": parts.signer,
        "nonce": parts.nonce,
        "call": parts.call,
        "fee": fee,
        "birth": birth,
        "birth_hash": row.hash,
        "until": None if parts.period is None else birth + parts.period - 1,
    }


def birth_of(parts: Parts, current: int) -> int:
    """The block an era counts from, seen from block `current`: its last one with the era's phase.

    Source: sp_runtime::generic::Era::birth. Once the era is over, this is the next period's
    block, so that the signature no longer holds: that is how an era dies.
    """
    if parts.period is None or parts.phase is None:
        return 0
    return (max(current, parts.phase) - parts.phase) // parts.period * parts.period + parts.phase


def _invalid(why: str) -> codec.SubstrateRequestException:
    return rpc_error(1010, "Invalid Transaction", why)
