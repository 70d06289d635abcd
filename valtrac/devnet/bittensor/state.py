"""The chain's whole state in one SQLite file: schema, connection, settings, accounts at any block."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet.bittensor import memory

EXISTENTIAL = 500
BLOCK_HASH_COUNT = 2400
NOMINAL_BLOCK_MS = 12_000
LAYOUT = 4
JUSTIFIES_EVERY = 512  # blocks, as subtensor's nodes keep them

_SWAPS = """
CREATE TABLE IF NOT EXISTS swaps (address TEXT NOT NULL, block INTEGER NOT NULL, announced INTEGER NOT NULL,
    PRIMARY KEY (address, block)) WITHOUT ROWID;
"""
_CHANGES = """
CREATE TABLE IF NOT EXISTS authority_changes (announced INTEGER PRIMARY KEY, delay INTEGER NOT NULL,
    forced INTEGER NOT NULL);
"""
_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, parent TEXT NOT NULL,
    at_ms INTEGER NOT NULL, state_root TEXT, extrinsics_root TEXT, mark BLOB, digest BLOB);
CREATE TABLE extrinsics (block INTEGER NOT NULL, position INTEGER NOT NULL, tx_id TEXT NOT NULL, raw BLOB NOT NULL,
    known TEXT NOT NULL, PRIMARY KEY (block, position)) WITHOUT ROWID;
CREATE TABLE events (block INTEGER PRIMARY KEY, records TEXT NOT NULL);
CREATE TABLE accounts (address TEXT NOT NULL, block INTEGER NOT NULL, free INTEGER NOT NULL, nonce INTEGER NOT NULL,
    PRIMARY KEY (address, block)) WITHOUT ROWID;
CREATE TABLE pool (arrival INTEGER PRIMARY KEY, tx_id TEXT NOT NULL UNIQUE, raw BLOB NOT NULL, known TEXT NOT NULL);
CREATE TABLE proxies (delegate TEXT NOT NULL, real TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (delegate, real));
CREATE TABLE hotkeys (hotkey TEXT PRIMARY KEY, owner TEXT NOT NULL, take_raw INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dividends (hotkey TEXT NOT NULL, netuid INTEGER NOT NULL, units INTEGER,
    PRIMARY KEY (hotkey, netuid)) WITHOUT ROWID;
CREATE TABLE members (hotkey TEXT NOT NULL, netuid INTEGER NOT NULL, position INTEGER NOT NULL, address TEXT NOT NULL,
    key BLOB NOT NULL, PRIMARY KEY (hotkey, netuid, position)) WITHOUT ROWID;
CREATE TABLE stakes (hotkey TEXT NOT NULL, netuid INTEGER NOT NULL, block INTEGER NOT NULL, total INTEGER NOT NULL,
    units BLOB NOT NULL, whole TEXT, PRIMARY KEY (hotkey, netuid, block)) WITHOUT ROWID;
CREATE TABLE prices (netuid INTEGER NOT NULL, block INTEGER NOT NULL, rao INTEGER NOT NULL,
    PRIMARY KEY (netuid, block)) WITHOUT ROWID;
CREATE TABLE changes (block INTEGER NOT NULL, position INTEGER NOT NULL, hotkey TEXT NOT NULL, netuid INTEGER NOT NULL,
    address TEXT NOT NULL, units INTEGER, goes_to TEXT, PRIMARY KEY (block, position)) WITHOUT ROWID;
CREATE TABLE faults (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was fixed at the seed, and how far finality has come.

    warp: blocks that `advance` produced ahead of the clock. salt: grows with every fork. true_from: the first block
    with a header of its own; before it are those of a chain that was made when headers were made up. justifies_every:
    blocks from one justification to the next. authorities_seed: what the keys of those who make blocks final follow
    from. authorities_from: the first block whose state tells them.
    """

    name: str
    genesis: str
    genesis_ms: int
    block_time_s: float
    finality_lag: int
    tempo: int
    auto_finalize: bool
    warp: int
    salt: int
    finalized: int
    true_from: int
    justifies_every: int
    authorities_seed: str
    authorities_from: int

    @property
    def block_ms(self) -> int:
        """Milliseconds between two blocks; chains without a clock count 12 s per block."""
        return round(self.block_time_s * 1000) or NOMINAL_BLOCK_MS


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A block as stored. hash, parent, roots: 0x + 64 hex digits. mark: what tells it from a block of another branch.
    digest: the announcement of other authorities in its header, if any.

    A block from before headers were true has neither roots nor mark.
    """

    number: int
    hash: str
    parent: str
    at_ms: int
    state_root: str | None = None
    extrinsics_root: str | None = None
    mark: bytes = b""
    digest: bytes = b""


def create(path: Path) -> sqlite3.Connection:
    """A new file with empty tables; the caller has made sure that none is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False, factory=memory.Connection)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(_SCHEMA + _SWAPS + _CHANGES)
    put_setting(db, "layout", LAYOUT)
    return db


def connect(path: Path) -> sqlite3.Connection:
    """The chain's file, opened. ChainUnreachable where there is none or it is something else."""
    if not path.is_file():
        raise ChainUnreachable(
            f"there is no rehearsal chain at {path}",
            why="the file does not exist",
            fix="make one from data/examples/devnet.toml first",
        )
    db = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False, factory=memory.Connection)
    try:
        db.execute("PRAGMA synchronous = NORMAL")
        layout = setting(db, "layout")
        if layout in (1, 2, 3):
            layout = _brought_up(db)
    except sqlite3.DatabaseError as error:
        db.close()
        if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
            raise ChainUnreachable(
                f"the rehearsal chain at {path} cannot be read now", why=str(error), fix="try again"
            ) from error
        raise ChainUnreachable(f"{path} is not a rehearsal chain", why=str(error), fix="name the right file") from error
    if layout != LAYOUT:
        db.close()
        raise ChainUnreachable(
            f"{path} was written by another version of ValTrac", why=f"layout {layout}", fix="seed it anew"
        )
    return db


def _brought_up(db: sqlite3.Connection) -> int:
    """A chain that is there already goes on: layout 2 has one table more than 1, layout 3 true headers and shares
    of stakes from now on, layout 4 authorities in its state and justifications."""
    with writing(db):
        before = setting(db, "layout")
        if before == LAYOUT:  # another process was faster
            return LAYOUT
        if before < 3:
            db.execute(_SWAPS)
            for column in ("state_root TEXT", "extrinsics_root TEXT", "mark BLOB"):
                db.execute(f"ALTER TABLE blocks ADD COLUMN {column}")
            db.execute("ALTER TABLE stakes ADD COLUMN whole TEXT")
        db.execute(_CHANGES)
        db.execute("ALTER TABLE blocks ADD COLUMN digest BLOB")
        newest = db.execute("SELECT MAX(number) FROM blocks").fetchone()[0]
        if before < 3:
            put_setting(db, "true_from", newest + 1)
        put_setting(db, "justifies_every", JUSTIFIES_EVERY)
        put_setting(db, "authorities_seed", setting(db, "genesis"))
        put_setting(db, "authorities_from", newest + 1)
        put_setting(db, "layout", LAYOUT)
    return LAYOUT


@contextmanager
def writing(db: sqlite3.Connection) -> Iterator[None]:
    """One exclusive change of the chain: all of it is stored, or none."""
    db.execute("BEGIN IMMEDIATE")
    try:
        memory.look(db)
        yield
    except BaseException:
        db.execute("ROLLBACK")
        memory.forget(db)
        raise
    db.execute("COMMIT")


@contextmanager
def reading(db: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one and the same state, whatever other processes write meanwhile."""
    db.execute("BEGIN")
    try:
        memory.look(db)
        yield
    finally:
        db.execute("COMMIT")


def put_setting(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Remember a setting as JSON."""
    db.execute(
        "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(value)),
    )


def setting(db: sqlite3.Connection, name: str) -> Any:
    """One setting, or None."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else json.loads(row[0])


def settings(db: sqlite3.Connection) -> Settings:
    """All settings, as they were at the last look: another process may have changed them since."""
    return memory.remembered(db, "settings", lambda: _settings(db))


def _settings(db: sqlite3.Connection) -> Settings:
    known = {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM settings")}
    try:
        return Settings(**{field: known[field] for field in Settings.__dataclass_fields__})
    except KeyError as error:
        raise BadInput(f"the rehearsal chain was never seeded (no {error})", fix="seed it anew") from error


def _block_where(db: sqlite3.Connection, condition: str, *values: object) -> BlockRow | None:
    """The block that a condition, written here and nowhere else, finds."""
    columns = "number, hash, parent, at_ms, state_root, extrinsics_root, mark, digest"
    row = db.execute(f"SELECT {columns} FROM blocks {condition}", values).fetchone()  # noqa: S608
    if row is None:
        return None
    return BlockRow(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6] or b""), bytes(row[7] or b""))


def head(db: sqlite3.Connection) -> BlockRow:
    """The newest block, as of the last look."""
    block = memory.remembered(db, "head", lambda: _block_where(db, "ORDER BY number DESC LIMIT 1"))
    if block is None:
        raise BadInput("the rehearsal chain has no block", fix="seed it anew")
    return block


def put_blocks(db: sqlite3.Connection, blocks: Iterable[BlockRow]) -> None:
    """Store new blocks."""
    db.executemany(
        "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(b.number, b.hash, b.parent, b.at_ms, b.state_root, b.extrinsics_root, b.mark, b.digest) for b in blocks],
    )


def block_by_number(db: sqlite3.Connection, number: int) -> BlockRow | None:
    """A block by height; None above the head."""
    return _block_where(db, "WHERE number = ?", number)


def block_by_hash(db: sqlite3.Connection, hash_: str) -> BlockRow | None:
    """A block of the present branch by hash; None for any other hash."""
    return _block_where(db, "WHERE hash = ?", hash_.lower())


def account(db: sqlite3.Connection, address: str, block: int) -> tuple[int, int]:
    """(free rao, nonce) of an address as of the end of a block; zeros where it does not exist."""
    row = db.execute(
        "SELECT free, nonce FROM accounts WHERE address = ? AND block <= ? ORDER BY block DESC LIMIT 1",
        (address, block),
    ).fetchone()
    return (0, 0) if row is None else (row[0], row[1])


def accounts_at(db: sqlite3.Connection, block: int) -> list[tuple[str, int, int]]:
    """(address, free rao, nonce) of everyone who exists as of the end of a block."""
    rows = db.execute(
        "SELECT address, free, nonce, MAX(block) FROM accounts WHERE block <= ? GROUP BY address", (block,)
    )
    return [(address, free, nonce) for address, free, nonce, _ in rows if free or nonce]


def put_accounts(db: sqlite3.Connection, block: int, rows: dict[str, tuple[int, int]]) -> None:
    """The accounts that a block changed: address -> (free rao, nonce)."""
    db.executemany(
        "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)",
        [(address, block, free, nonce) for address, (free, nonce) in rows.items()],
    )
