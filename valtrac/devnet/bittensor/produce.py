"""Growing the chain: blocks by the clock or on demand, what they include, finality, forks.

All functions here run inside a transaction of the caller's, except `advance`.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.bittensor import authorities, dispatch, headers, stakes, state
from valtrac.devnet.bittensor.events import Event
from valtrac.devnet.bittensor.state import BlockRow, Settings

Known = dict[str, Any]
"""What the pool has found out about a transaction: signer, nonce, call, fee, birth, birth_hash, until."""


def advance(path: Path | str, blocks: int) -> int:
    """Produce `blocks` blocks now, whatever the clock says; the pool goes into the first. The new height."""
    if blocks < 1:
        raise BadInput(f"cannot advance by {blocks} blocks", fix="ask for 1 or more")
    db = state.connect(Path(path))
    try:
        with state.writing(db):
            grow(db, blocks)
            if state.settings(db).block_time_s:
                state.put_setting(db, "warp", state.settings(db).warp + blocks)
        return state.head(db).number
    finally:
        db.close()


def due(db: sqlite3.Connection, now_ms: int) -> int:
    """How many blocks the clock says are missing."""
    chain = state.settings(db)
    if not chain.block_time_s:
        return 0
    return max(0, (now_ms - chain.genesis_ms) // chain.block_ms + chain.warp - state.head(db).number)


def grow(db: sqlite3.Connection, blocks: int, *, include: bool = True) -> None:
    """Append blocks; the first takes what is ready in the pool (unless it is held, or include=False)."""
    chain, parent = state.settings(db), state.head(db)
    include = include and db.execute("SELECT 1 FROM faults WHERE name = 'hold_pool'").fetchone() is None
    pooled = db.execute("SELECT COUNT(*) FROM pool").fetchone()[0]
    planned = {row[0] for row in db.execute("SELECT block FROM changes WHERE block > ?", (parent.number,))}
    new: list[BlockRow] = []
    accounts, changes = headers.Accounts(db, chain), authorities.planned(db)
    for number in range(parent.number + 1, parent.number + blocks + 1):
        taken: list[bytes] = []
        if pooled:
            state.put_blocks(db, new)
            new.clear()
            _evict_dead(db, number)
            taken = _include(db, number) if include else []
            pooled = db.execute("SELECT COUNT(*) FROM pool").fetchone()[0]
        if number in planned:
            stakes.apply_changes(db, number)
        if number % chain.tempo == 0:
            stakes.epoch(db, number, chain.genesis)
        parent = headers.sealed(db, chain, parent, accounts, taken, changes)
        new.append(parent)
    state.put_blocks(db, new)
    _finalize(db, chain, parent.number)


def ready(db: sqlite3.Connection) -> bool:
    """Whether something in the pool can go into the next block."""
    ledger = dispatch.Ledger(db, state.head(db).number)
    return any(known["nonce"] == ledger.get(known["signer"])[1] for _, _, known in _pooled(db))


def fork(db: sqlite3.Connection, depth: int, *, drop: bool = False) -> None:
    """Throw away the newest `depth` blocks above finality; the other branch has as many, without transactions."""
    chain, top = state.settings(db), state.head(db).number
    keep = max(chain.finalized, top - depth)
    if keep == top:
        return
    orphans = db.execute(
        "SELECT tx_id, raw, known FROM extrinsics WHERE block > ? ORDER BY block, position", (keep,)
    ).fetchall()
    waiting = db.execute("SELECT tx_id, raw, known FROM pool ORDER BY arrival").fetchall()
    db.execute("DELETE FROM blocks WHERE number > ?", (keep,))
    for table in ("extrinsics", "events", "accounts", "stakes", "prices"):
        db.execute(f"DELETE FROM {table} WHERE block > ?", (keep,))  # noqa: S608 - names from the line above
    db.execute("DELETE FROM pool")
    db.executemany("INSERT INTO pool (tx_id, raw, known) VALUES (?, ?, ?)", waiting if drop else orphans + waiting)
    state.put_setting(db, "salt", chain.salt + 1)
    grow(db, top - keep, include=False)


def _finalize(db: sqlite3.Connection, chain: Settings, top: int) -> None:
    if db.execute("SELECT 1 FROM faults WHERE name = 'hold_finality'").fetchone() is None:
        state.put_setting(db, "finalized", max(chain.finalized, top - chain.finality_lag))


def _pooled(db: sqlite3.Connection) -> list[tuple[str, bytes, Known]]:
    rows = db.execute("SELECT tx_id, raw, known FROM pool ORDER BY arrival")
    return [(tx_id, raw, json.loads(known)) for tx_id, raw, known in rows]


def alive(db: sqlite3.Connection, known: Known, number: int) -> bool:
    """Whether a transaction's era and the branch it was signed for still allow it in block `number`."""
    birth = state.block_by_number(db, known["birth"])
    remembered = known["birth"] == 0 or known["birth"] >= number - 1 - state.BLOCK_HASH_COUNT
    return bool(
        birth
        and birth.hash == known["birth_hash"]
        and remembered
        and (known["until"] is None or number <= known["until"])
    )


def _evict_dead(db: sqlite3.Connection, number: int) -> None:
    dead = [(tx_id,) for tx_id, _, known in _pooled(db) if not alive(db, known, number)]
    db.executemany("DELETE FROM pool WHERE tx_id = ?", dead)


def _include(db: sqlite3.Connection, number: int) -> list[bytes]:
    """Put what is ready into block `number`: by arrival, each signer's nonces in order. What was taken."""
    ledger = dispatch.Ledger(db, number - 1)
    waiting, taken = _pooled(db), list[bytes]()
    records: list[tuple[int, Event]] = []
    progress = True
    while progress:
        progress = False
        for tx_id, raw, known in list(waiting):
            free, nonce = ledger.get(known["signer"])
            if known["nonce"] > nonce:
                continue
            waiting.remove((tx_id, raw, known))
            db.execute("DELETE FROM pool WHERE tx_id = ?", (tx_id,))
            if known["nonce"] < nonce or free - known["fee"] < state.EXISTENTIAL:
                continue
            taken.append(raw)
            events = dispatch.apply(ledger, known["signer"], known["call"], known["fee"])
            records += [(len(taken), event) for event in events]
            db.execute(
                "INSERT INTO extrinsics VALUES (?, ?, ?, ?, ?)", (number, len(taken), tx_id, raw, json.dumps(known))
            )
            progress = True
    if taken:
        db.execute("INSERT INTO events VALUES (?, ?)", (number, json.dumps(records)))
    state.put_accounts(db, number, ledger.rows)
    return taken
