"""The node's whole state in one SQLite file: schema, connections, transactions, the few reads everyone needs."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from calendar import timegm
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet.bittensor.state import reading as reading
from valtrac.devnet.bittensor.state import writing as writing

LAYOUT = 2
INTERVAL_S = 3
FIRST_ACCOUNT = 6
"""Below it live the accounts of the protocol itself, as on the public chain."""

_SCHEMA = """
CREATE TABLE chain (one INTEGER PRIMARY KEY CHECK (one = 1), layout INTEGER NOT NULL, chain_id TEXT NOT NULL,
    name TEXT NOT NULL, pace TEXT NOT NULL, lib_lag INTEGER NOT NULL, first INTEGER NOT NULL, head INTEGER NOT NULL,
    head_id TEXT NOT NULL, head_at INTEGER NOT NULL, lib INTEGER NOT NULL, salt INTEGER NOT NULL,
    true_from INTEGER NOT NULL);
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, active TEXT NOT NULL, owner TEXT NOT NULL,
    memo TEXT NOT NULL, lifetime INTEGER NOT NULL);
CREATE TABLE balances (account INTEGER PRIMARY KEY, satoshi INTEGER NOT NULL CHECK (satoshi >= 0));
CREATE TABLE pending (account INTEGER PRIMARY KEY, satoshi INTEGER NOT NULL);
CREATE TABLE funded (seq INTEGER PRIMARY KEY, account INTEGER NOT NULL, satoshi INTEGER NOT NULL,
    block INTEGER NOT NULL);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, id TEXT NOT NULL, previous TEXT NOT NULL, at INTEGER NOT NULL,
    salt INTEGER NOT NULL, root TEXT NOT NULL, witness INTEGER NOT NULL, signature TEXT NOT NULL);
CREATE TABLE transactions (block INTEGER NOT NULL, position INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    keys TEXT NOT NULL, expires INTEGER NOT NULL, fee INTEGER NOT NULL, PRIMARY KEY (block, position)) WITHOUT ROWID;
CREATE INDEX transactions_by_id ON transactions (id);
CREATE TABLE changes (block INTEGER NOT NULL, account INTEGER NOT NULL, satoshi INTEGER NOT NULL,
    PRIMARY KEY (block, account)) WITHOUT ROWID;
CREATE TABLE operations (seq INTEGER PRIMARY KEY, block INTEGER NOT NULL, position INTEGER NOT NULL,
    op INTEGER NOT NULL);
CREATE INDEX operations_by_block ON operations (block);
CREATE TABLE history (account INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (account, seq)) WITHOUT ROWID;
CREATE INDEX history_by_seq ON history (seq);
CREATE TABLE pool (arrival INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, keys TEXT NOT NULL,
    expires INTEGER NOT NULL);
CREATE TABLE faults (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rekeyed (block INTEGER NOT NULL, witness INTEGER NOT NULL, PRIMARY KEY (block, witness)) WITHOUT ROWID;
"""
# A chain of layout 1 goes on: its blocks stay as they are, and those made from now on are true ones.
_FROM_LAYOUT_1 = """
ALTER TABLE chain ADD COLUMN true_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blocks ADD COLUMN witness INTEGER NOT NULL DEFAULT 1;
ALTER TABLE blocks ADD COLUMN signature TEXT NOT NULL DEFAULT '';
CREATE TABLE rekeyed (block INTEGER NOT NULL, witness INTEGER NOT NULL, PRIMARY KEY (block, witness)) WITHOUT ROWID;
UPDATE chain SET true_from = head + 1, layout = 2;
"""
_CHAIN = "chain_id, name, pace, lib_lag, first, head, head_id, head_at, lib, salt, true_from"
_BLOCK = "number, id, previous, at, salt, root, witness, signature"


class Chain(NamedTuple):
    """Where the chain stands. head_at: seconds since 1970, the newest block's time; salt grows with every fork.
    true_from: blocks below it were made before witnesses signed, and fit nothing."""

    chain_id: str
    name: str
    pace: str
    lib_lag: int
    first: int
    head: int
    head_id: str
    head_at: int
    lib: int
    salt: int
    true_from: int


class Block(NamedTuple):
    """A block as stored. id, previous, root: 40 hex digits; at: seconds since 1970; signature: 130 hex digits, "" where
    it is from before `true_from`."""

    number: int
    id: str
    previous: str
    at: int
    salt: int
    root: str
    witness: int
    signature: str


@dataclass(frozen=True, slots=True)
class Holder:
    """An account as stored: its authorities are JSON objects as on the wire."""

    number: int
    name: str
    active: dict[str, Any]
    owner: dict[str, Any]
    memo: str
    lifetime: bool

    @property
    def id(self) -> str:
        """Its object id, such as 1.2.6."""
        return f"1.2.{self.number}"


MOST_OPEN = 8  # chains that a thread has at hand at once: a process may only have so many files open


class _Opened(threading.local):
    """The connections of one thread: an SQLite connection is used by the thread that opened it only."""

    def __init__(self) -> None:
        self.by_file: dict[tuple[int, int, int], sqlite3.Connection] = {}  # the newest used last


_opened = _Opened()


def create(path: Path) -> sqlite3.Connection:
    """A new file with empty tables; refuses (BadInput) to touch one that is there."""
    if path.exists():
        raise BadInput(
            f"there is already a file at {path}", why="a rehearsal chain is never overwritten", fix="name another"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(_SCHEMA)
    return db


def connect(path: Path | str) -> sqlite3.Connection:
    """This thread's connection to the chain's file; it stays open for the next call.

    Raises ChainUnreachable where there is no file or it is something else.
    """
    try:
        facts = os.stat(path)
    except OSError as error:
        raise ChainUnreachable(f"there is no rehearsal node at {path}", why=str(error), fix="seed one first") from error
    key = (os.getpid(), facts.st_dev, facts.st_ino)
    mine = _opened.by_file
    db = mine.pop(key, None) or _connected(Path(path))
    mine[key] = db
    while len(mine) > MOST_OPEN:
        mine.pop(next(iter(mine))).close()
    return db


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        db.execute("PRAGMA synchronous = OFF")
        row = db.execute("SELECT layout FROM chain").fetchone()
        if row == (1,):
            row = _upgraded(db)
    except sqlite3.DatabaseError as error:
        db.close()
        raise ChainUnreachable(
            f"{path} is not a BitShares rehearsal node", why=str(error), fix="name the right file"
        ) from error
    if row is None or row[0] != LAYOUT:
        db.close()
        raise ChainUnreachable(f"{path} was written by another version of ValTrac", fix="seed it anew")
    return db


def _upgraded(db: sqlite3.Connection) -> tuple[int]:
    """Bring a chain of layout 1 to the present one, unless another process was faster; the layout."""
    with writing(db):
        if db.execute("SELECT layout FROM chain").fetchone() == (1,):
            for statement in filter(str.strip, _FROM_LAYOUT_1.split(";")):
                db.execute(statement)
    return (LAYOUT,)


def disconnect() -> None:
    """Close what this thread has opened, for example before it ends."""
    while _opened.by_file:
        _opened.by_file.popitem()[1].close()


def chain(db: sqlite3.Connection) -> Chain:
    """Where the chain stands now."""
    return Chain(*db.execute(f"SELECT {_CHAIN} FROM chain").fetchone())  # noqa: S608 - a constant


def block(db: sqlite3.Connection, number: int) -> Block | None:
    """A block by height; None where there is none."""
    row = db.execute(f"SELECT {_BLOCK} FROM blocks WHERE number = ?", (number,)).fetchone()  # noqa: S608 - a constant
    return None if row is None else Block(*row)


def holder(db: sqlite3.Connection, who: str | int) -> Holder | None:
    """An account by name, object id or number; None for an unknown one."""
    column = "id"
    if isinstance(who, str) and who.startswith("1.2."):
        if not who[4:].isdigit() or len(who) > 20:
            return None
        who = int(who[4:])
    elif isinstance(who, str):
        column = "name"
    row = db.execute(
        f"SELECT id, name, active, owner, memo, lifetime FROM accounts WHERE {column} = ?",  # noqa: S608 - one of two
        (who,),
    ).fetchone()
    if row is None:
        return None
    return Holder(row[0], row[1], json.loads(row[2]), json.loads(row[3]), row[4], bool(row[5]))


def balance(db: sqlite3.Connection, account: int, *, pending: bool) -> int:
    """Satoshi of an account at the head, or with what waits in the pool counted."""
    if pending:
        row = db.execute("SELECT satoshi FROM pending WHERE account = ?", (account,)).fetchone()
        if row is not None:
            return int(row[0])
    row = db.execute("SELECT satoshi FROM balances WHERE account = ?", (account,)).fetchone()
    return 0 if row is None else int(row[0])


def stamp(at: int) -> str:
    """Seconds since 1970 as the chain writes them: UTC, without a zone."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


def unstamp(text: str) -> int:
    """The chain's time as seconds since 1970; ValueError for anything else."""
    return timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
