"""Growing the chain: the pool, blocks and what they include, irreversibility, forks.

What takes a connection runs inside a transaction of the caller's; what takes a path is complete in itself.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.bitshares import keys, packing, rules, state, witnesses
from valtrac.devnet.bitshares.packing import NodeError
from valtrac.devnet.bitshares.rules import Ledger, Signed
from valtrac.devnet.bitshares.state import INTERVAL_S, Block, Chain
from valtrac.devnet.bitshares.witnesses import EMPTY_ROOT

_CHUNK = 20_000


def produce(path: Path | str, n: int = 1, *, gap_s: int = 0) -> int:
    """Make n blocks, 3 s of chain time apart; the pool goes into the first. The new height.

    gap_s: seconds of chain time without a block before the first of them, cut to whole intervals.
    """
    if n < 1 or gap_s < 0:
        raise BadInput(f"cannot produce {n} blocks after {gap_s} seconds", fix="ask for 1 block or more")
    db = state.connect(path)
    with state.writing(db):
        grow(db, n, gap_s=gap_s)
        return state.chain(db).head


def advance(path: Path | str, seconds: int) -> int:
    """Let that much chain time pass, and a little more until all of it is irreversible. The new height.

    One block at the end of the time stands for all that would have been made meanwhile.
    """
    if seconds < 0:
        raise BadInput(f"cannot advance by {seconds} seconds", fix="time runs forward")
    db = state.connect(path)
    with state.writing(db):
        whole = -(-seconds // INTERVAL_S) * INTERVAL_S
        grow(db, 1, gap_s=max(0, whole - INTERVAL_S))
        grow(db, state.chain(db).lib_lag + 1)
        return state.chain(db).head


def fork(path: Path | str, depth: int, keep: bool = True) -> int:
    """Replace the newest `depth` blocks by as many empty ones of another branch. The height.

    keep: their transactions wait in the pool again, if they still fit the new branch; else they are lost, and only
    their expiration says so. BadInput where one of these blocks is irreversible; nothing changes then.
    """
    db = state.connect(path)
    with state.writing(db):
        chain = state.chain(db)
        if depth < 1 or chain.head - depth < chain.lib:
            raise BadInput(
                f"cannot fork {depth} blocks deep", why=f"block {chain.lib} is irreversible", fix="take fewer"
            )
        bottom = chain.head - depth
        orphans = db.execute(
            "SELECT id, body, keys, expires FROM transactions WHERE block > ? ORDER BY block, position", (bottom,)
        ).fetchall()
        _undo(db, bottom)
        waiting = db.execute("SELECT id, body, keys, expires FROM pool ORDER BY arrival").fetchall()
        db.execute("UPDATE chain SET salt = salt + 1")
        _empty_pool(db)
        grow(db, depth)
        _wait_again(db, (orphans if keep else []) + waiting)
        return state.chain(db).head


def push(db: sqlite3.Connection, trx: Mapping[str, Any]) -> str:
    """Take a transaction into the pool; its id. NodeError says why not."""
    chain = state.chain(db)
    signed = rules.read(trx, chain.chain_id)
    _take(db, chain, signed)
    return signed.id


def drop_pool(db: sqlite3.Connection) -> None:
    """Forget everything that waits, as a node does that is started anew."""
    _empty_pool(db)


def grow(db: sqlite3.Connection, count: int, *, gap_s: int = 0) -> None:
    """Append blocks. Empty ones cost next to nothing; the first takes the pool unless it is held."""
    chain = state.chain(db)
    lasting = {name for (name,) in db.execute("SELECT name FROM faults")}
    waiting = db.execute("SELECT MIN(expires) FROM pool").fetchone()[0]
    new: list[Block] = []
    for _ in range(count):
        root = EMPTY_ROOT
        if waiting is not None and "hold_pool" not in lasting:
            _store_blocks(db, chain, new)
            root, waiting = _include(db, chain), None
        sealed = _sealed(db, chain, chain.head_at + INTERVAL_S + gap_s // INTERVAL_S * INTERVAL_S, root)
        gap_s = 0
        new.append(sealed)
        lib = chain.lib if "hold_lib" in lasting else max(chain.lib, sealed.number - chain.lib_lag)
        chain = chain._replace(head=sealed.number, head_id=sealed.id, head_at=sealed.at, lib=lib)
        if waiting is not None and waiting < chain.head_at:
            _store_blocks(db, chain, new)
            held = db.execute("SELECT id, body, keys, expires FROM pool ORDER BY arrival").fetchall()
            _wait_again(db, held)
            waiting = db.execute("SELECT MIN(expires) FROM pool").fetchone()[0]
        elif len(new) == _CHUNK:
            _store_blocks(db, chain, new)
    _store_blocks(db, chain, new)


def _store_blocks(db: sqlite3.Connection, chain: Chain, new: list[Block]) -> None:
    db.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", new)
    new.clear()
    db.execute(
        "UPDATE chain SET head = ?, head_id = ?, head_at = ?, lib = ?",
        (chain.head, chain.head_id, chain.head_at, chain.lib),
    )


@lru_cache(256)
def witness_signature(chain_id: str, salt: int) -> bytes:
    """65 bytes in the place of a signature, as blocks had them before witnesses signed."""
    return b"\x1f" + hashlib.sha512(f"{chain_id}/{salt}".encode()).digest()


def _sealed(db: sqlite3.Connection, chain: Chain, at: int, root: str) -> Block:
    """The next block, signed by the witness whose turn it is; its id is sha224 of the packed signed header with the
    height in front. The salt goes into the signature, so that the ids of an empty branch differ from another's."""
    number = chain.head + 1
    witness = witnesses.turn(chain, number)
    header = witnesses.header(chain.head_id, at, witness, root)
    secret = witnesses.secret(witness, witnesses.generation(db, witness, before=number))
    signature = keys.sign(header, secret, salt=chain.salt.to_bytes(8, "big"))
    own = (struct.pack(">I", number) + hashlib.sha224(header + signature).digest()[4:20]).hex()
    return Block(number, own, chain.head_id, at, chain.salt, root, witness, signature.hex())


def _include(db: sqlite3.Connection, chain: Chain) -> str:
    """Put what is still valid in the pool into the next block, drop the rest; the block's merkle root."""
    waiting = db.execute("SELECT id, body, keys, expires FROM pool ORDER BY arrival").fetchall()
    _empty_pool(db)
    ledger, number = Ledger(db, pending=False), chain.head + 1
    taken: list[str] = []
    bodies: list[dict[str, Any]] = []
    for tx_id, body, signers, expires in waiting:
        if tx_id in taken:
            continue
        trx = Signed(json.loads(body), tx_id, tuple(json.loads(signers)), expires)
        try:
            fee = rules.apply(db, chain, trx, ledger)
        except NodeError:
            continue  # a real node drops it here without a word
        db.execute(
            "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, len(taken), tx_id, body, signers, expires, fee),
        )
        changed = {int(op["witness"][4:]) for kind, op in trx.body["operations"] if kind == packing.WITNESS_UPDATE}
        db.executemany("INSERT INTO rekeyed VALUES (?, ?)", [(number, witness) for witness in changed])
        _remember(db, number, len(taken), trx.body["operations"])
        taken.append(tx_id)
        bodies.append(trx.body)
    ledger.store()
    db.executemany(
        "INSERT INTO changes VALUES (?, ?, ?)",
        [(number, account, satoshi) for account, satoshi in ledger.changed().items()],
    )
    return witnesses.merkle_root(bodies)


def _remember(db: sqlite3.Connection, number: int, position: int, operations: list[Any]) -> None:
    """The account history: one number per operation, listed under every account that it touches."""
    row = db.execute("SELECT COALESCE(MAX(seq), -1) FROM operations").fetchone()
    for index, (kind, body) in enumerate(operations):
        seq = row[0] + 1 + index
        db.execute("INSERT INTO operations VALUES (?, ?, ?, ?)", (seq, number, position, index))
        touched = {packing.payer(kind, body), *([body["to"]] if kind == packing.TRANSFER else [])}
        db.executemany("INSERT INTO history VALUES (?, ?)", [(int(who[4:]), seq) for who in touched])


def _undo(db: sqlite3.Connection, bottom: int) -> None:
    """Take back every block above `bottom`."""
    db.execute(
        "UPDATE balances SET satoshi = satoshi - COALESCE((SELECT SUM(changes.satoshi) FROM changes"
        " WHERE changes.account = balances.account AND block > ?), 0)"
        " WHERE account IN (SELECT account FROM changes WHERE block > ?)",
        (bottom, bottom),
    )
    db.execute("DELETE FROM history WHERE seq IN (SELECT seq FROM operations WHERE block > ?)", (bottom,))
    for table in ("operations", "changes", "transactions", "rekeyed"):
        db.execute(f"DELETE FROM {table} WHERE block > ?", (bottom,))  # noqa: S608 - names from the line above
    db.execute("DELETE FROM blocks WHERE number > ?", (bottom,))
    top = state.block(db, bottom)
    if top is None:  # the very first block is irreversible from the seed on
        raise AssertionError(f"block {bottom} is missing")
    db.execute("UPDATE chain SET head = ?, head_id = ?, head_at = ?", (top.number, top.id, top.at))


def _take(db: sqlite3.Connection, chain: Chain, trx: Signed) -> None:
    ledger = Ledger(db, pending=True)
    rules.apply(db, chain, trx, ledger)
    ledger.store()
    db.execute(
        "INSERT INTO pool (id, body, keys, expires) VALUES (?, ?, ?, ?)",
        (trx.id, json.dumps(trx.body), json.dumps(trx.keys), trx.expires),
    )


def _wait_again(db: sqlite3.Connection, rows: Iterable[tuple[str, str, str, int]]) -> None:
    """Build the pool anew from these: what no longer fits is dropped."""
    _empty_pool(db)
    chain = state.chain(db)
    for tx_id, body, signers, expires in rows:
        try:
            _take(db, chain, Signed(json.loads(body), tx_id, tuple(json.loads(signers)), expires))
        except NodeError:
            continue


def _empty_pool(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM pool")
    db.execute("DELETE FROM pending")
