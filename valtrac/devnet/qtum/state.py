"""The node's whole state in one SQLite file of its directory: schema, connections, the few reads everyone needs."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet.bittensor.state import reading as reading
from valtrac.devnet.bittensor.state import writing as writing
from valtrac.devnet.qtum.rules import NETWORKS, Network

LAYOUT = 1
FILE = "qtum.sqlite"

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE faults (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE blocks (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, height INTEGER NOT NULL,
    active INTEGER NOT NULL, at INTEGER NOT NULL, header BLOB NOT NULL, modifier BLOB NOT NULL, proof BLOB NOT NULL,
    txs INTEGER NOT NULL,
    staker BLOB, delegate BLOB, kernel BLOB, kernel_n INTEGER, made INTEGER NOT NULL, state_root BLOB NOT NULL);
CREATE UNIQUE INDEX blocks_by_height ON blocks (height) WHERE active;
CREATE TABLE transactions (block INTEGER NOT NULL, position INTEGER NOT NULL, id BLOB NOT NULL, raw BLOB NOT NULL,
    PRIMARY KEY (block, position)) WITHOUT ROWID;
CREATE INDEX transactions_by_id ON transactions (id);
CREATE TABLE coins (id BLOB NOT NULL, n INTEGER NOT NULL, value INTEGER NOT NULL CHECK (value >= 0),
    script BLOB NOT NULL, owner BLOB, height INTEGER NOT NULL, position INTEGER NOT NULL, kind INTEGER NOT NULL,
    PRIMARY KEY (id, n)) WITHOUT ROWID;
CREATE INDEX coins_by_owner ON coins (owner, height, value);
CREATE INDEX coins_by_height ON coins (height);
CREATE TABLE spent (block INTEGER NOT NULL, position INTEGER NOT NULL, place INTEGER NOT NULL, id BLOB NOT NULL,
    n INTEGER NOT NULL, value INTEGER NOT NULL, script BLOB NOT NULL, owner BLOB, height INTEGER NOT NULL,
    first INTEGER NOT NULL, kind INTEGER NOT NULL, PRIMARY KEY (block, position, place)) WITHOUT ROWID;
CREATE INDEX spent_by_coin ON spent (id, n);
CREATE INDEX spent_by_owner ON spent (owner, height);
CREATE TABLE events (block INTEGER NOT NULL, position INTEGER NOT NULL, n INTEGER NOT NULL, place INTEGER NOT NULL,
    height INTEGER NOT NULL, kind TEXT NOT NULL, staker BLOB NOT NULL, delegate BLOB NOT NULL, fee INTEGER NOT NULL,
    proof BLOB NOT NULL, gas INTEGER NOT NULL, PRIMARY KEY (block, position, n, place)) WITHOUT ROWID;
CREATE INDEX events_by_delegate ON events (delegate, height);
CREATE INDEX events_by_height ON events (height);
CREATE TABLE pool (arrival INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, fee INTEGER NOT NULL,
    at INTEGER NOT NULL, height INTEGER NOT NULL);
CREATE TABLE pool_spends (id BLOB NOT NULL, n INTEGER NOT NULL, by BLOB NOT NULL, PRIMARY KEY (id, n)) WITHOUT ROWID;
CREATE TABLE keys (hash BLOB PRIMARY KEY, secret BLOB NOT NULL, name TEXT NOT NULL, wallet TEXT,
    change INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX keys_by_name ON keys (name);
CREATE TABLE wallets (name TEXT PRIMARY KEY, loaded INTEGER NOT NULL, passphrase TEXT, until INTEGER NOT NULL,
    staking_only INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE wallet_transactions (wallet TEXT NOT NULL, id BLOB NOT NULL, raw BLOB NOT NULL, at INTEGER NOT NULL,
    abandoned INTEGER NOT NULL, PRIMARY KEY (wallet, id)) WITHOUT ROWID;
CREATE TABLE wallet_spends (wallet TEXT NOT NULL, id BLOB NOT NULL, n INTEGER NOT NULL, by BLOB NOT NULL,
    PRIMARY KEY (wallet, id, n, by)) WITHOUT ROWID;
CREATE TABLE locks (wallet TEXT NOT NULL, id BLOB NOT NULL, n INTEGER NOT NULL, lasting INTEGER NOT NULL,
    PRIMARY KEY (wallet, id, n)) WITHOUT ROWID;
CREATE TABLE stakers (hash BLOB PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_BLOCK = (
    "id, hash, height, active, at, header, modifier, proof, txs, staker, delegate, kernel, kernel_n, made, state_root"
)
PLAIN, STAKED, MINED = 0, 1, 2
"""What made a coin: an ordinary transaction, a coinstake, a coinbase."""


class Block(NamedTuple):
    """A block as stored. hash, header, modifier, proof (of the kernel): bytes as hashed; active: in the present branch;
    staker, delegate: hashes of their keys; made: satoshi out of nothing."""

    id: int
    hash: bytes
    height: int
    active: int
    at: int
    header: bytes
    modifier: bytes
    proof: bytes
    txs: int
    staker: bytes | None
    delegate: bytes | None
    kernel: bytes | None
    kernel_n: int | None
    made: int
    state_root: bytes


MOST_OPEN = 8


class _Opened(threading.local):
    """The connections of one thread: an SQLite connection is used by the thread that opened it only."""

    def __init__(self) -> None:
        self.by_file: dict[tuple[int, int, int], sqlite3.Connection] = {}  # the newest used last


_opened = _Opened()


def place(directory: Path | str) -> Path:
    """The file of a node's directory."""
    return Path(directory) / FILE


def create(directory: Path | str) -> sqlite3.Connection:
    """A new node's file with empty tables; refuses (BadInput) to touch one that is there."""
    path = place(directory)
    if path.exists():
        raise BadInput(
            f"there is already a node at {directory}", why="a rehearsal chain is never overwritten", fix="name another"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(_SCHEMA)
    return db


def connect(directory: Path | str) -> sqlite3.Connection:
    """This thread's connection to a node's file; it stays open for the next call.

    Raises ChainUnreachable where there is no file or it is something else.
    """
    path = place(directory)
    try:
        facts = os.stat(path)
    except OSError as error:
        why = str(error)
        raise ChainUnreachable(f"there is no rehearsal node at {directory}", why=why, fix="seed one first") from error
    key = (os.getpid(), facts.st_dev, facts.st_ino)
    mine = _opened.by_file
    db = mine.pop(key, None) or _connected(path)
    mine[key] = db
    while len(mine) > MOST_OPEN:
        mine.pop(next(iter(mine))).close()
    return db


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -65536")
        row = db.execute("SELECT value FROM settings WHERE name = 'layout'").fetchone()
    except sqlite3.DatabaseError as error:
        db.close()
        raise ChainUnreachable(f"{path} is not a Qtum rehearsal node", why=str(error), fix="name another") from error
    if row is None or json.loads(row[0]) != LAYOUT:
        db.close()
        raise ChainUnreachable(f"{path} was written by another version of ValTrac", fix="seed it anew")
    return db


def disconnect() -> None:
    """Close what this thread has opened, for example before it ends."""
    while _opened.by_file:
        _opened.by_file.popitem()[1].close()


def setting(db: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """A setting of the node."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return default if row is None else json.loads(row[0])


def put(db: sqlite3.Connection, name: str, value: Any) -> None:
    """Store a setting."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, json.dumps(value)))


def network(db: sqlite3.Connection) -> Network:
    """The chain that this node is of."""
    return NETWORKS[setting(db, "network")]


def maturity(db: sqlite3.Connection, height: int) -> int:
    """Blocks that a coin rests before a block at this height may stake it; a rehearsal may have made it short."""
    return setting(db, "maturity") or network(db).maturity(height)


def tip(db: sqlite3.Connection) -> Block:
    """The newest block of the present branch."""
    row = db.execute(
        f"SELECT {_BLOCK} FROM blocks WHERE active AND height = (SELECT MAX(height) FROM blocks WHERE active)"  # noqa: S608
    ).fetchone()
    return Block(*row)


def block_at(db: sqlite3.Connection, height: int) -> Block | None:
    """The block of the present branch at a height; None where there is none."""
    row = db.execute(f"SELECT {_BLOCK} FROM blocks WHERE active AND height = ?", (height,)).fetchone()  # noqa: S608
    return None if row is None else Block(*row)


def block_by_hash(db: sqlite3.Connection, hashed: bytes) -> Block | None:
    """A block of any branch."""
    row = db.execute(f"SELECT {_BLOCK} FROM blocks WHERE hash = ?", (hashed,)).fetchone()  # noqa: S608 - a constant
    return None if row is None else Block(*row)


def block_by_id(db: sqlite3.Connection, number: int) -> Block:
    """A block by the number under which it is stored."""
    return Block(*db.execute(f"SELECT {_BLOCK} FROM blocks WHERE id = ?", (number,)).fetchone())  # noqa: S608


def bodies(db: sqlite3.Connection, block: int) -> list[bytes]:
    """The transactions of a stored block, in order."""
    return [raw for (raw,) in db.execute("SELECT raw FROM transactions WHERE block = ? ORDER BY position", (block,))]


def now(db: sqlite3.Connection) -> int:
    """What time the node has: its own clock where one was set, else this machine's. Seconds since 1970."""
    fixed = setting(db, "clock")
    return int(time.time()) if fixed is None else int(fixed)


def flags(db: sqlite3.Connection) -> dict[str, Any]:
    """What the node was started with."""
    started_with: dict[str, Any] = setting(db, "flags")
    return started_with


def setting_of_staker(db: sqlite3.Connection, staker: bytes) -> dict[str, Any] | None:
    """What the wallet's owner set for one super staker; None without."""
    row = db.execute("SELECT value FROM stakers WHERE hash = ?", (staker,)).fetchone()
    own_setting: dict[str, Any] | None = None if row is None else json.loads(row[0])
    return own_setting


def put_staker(db: sqlite3.Connection, staker: bytes, value: dict[str, Any]) -> None:
    """Store what the wallet's owner set for one super staker."""
    db.execute("INSERT OR REPLACE INTO stakers VALUES (?, ?)", (staker, json.dumps(value)))
