"""The coins: what a block spends and makes, taken back exactly where a block leaves the branch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from valtrac.devnet.qtum import codec
from valtrac.devnet.qtum.state import MINED, PLAIN, STAKED
from valtrac.devnet.qtum.transactions import Tx

COIN_COLUMNS = "id, n, value, script, owner, height, position, kind"


class Coin(NamedTuple):
    """An unspent output. id: of its transaction, as stored; owner: hash of its key, None for other scripts;
    position: of its transaction in the block; kind: PLAIN, STAKED or MINED."""

    id: bytes
    n: int
    value: int
    script: bytes
    owner: bytes | None
    height: int
    position: int
    kind: int

    @property
    def place(self) -> tuple[bytes, int]:
        """What an input names."""
        return self.id, self.n


def coin(db: sqlite3.Connection, place: tuple[bytes, int]) -> Coin | None:
    """An unspent output of the present branch; None where there is none."""
    row = db.execute(f"SELECT {COIN_COLUMNS} FROM coins WHERE id = ? AND n = ?", place).fetchone()  # noqa: S608
    return None if row is None else Coin(*row)


def coins_of(db: sqlite3.Connection, owner: bytes) -> list[Coin]:
    """All coins of a key, the oldest first."""
    rows = db.execute(
        f"SELECT {COIN_COLUMNS} FROM coins WHERE owner = ? ORDER BY height, position, n",  # noqa: S608 - a constant
        (owner,),
    )
    return [Coin(*row) for row in rows]


def outputs(tx: Tx, txid: bytes, height: int, position: int) -> list[Coin]:
    """The coins that a transaction makes; an empty or unspendable output is none."""
    kind = MINED if tx.is_coinbase else STAKED if tx.is_coinstake else PLAIN
    made = []
    for n, out in enumerate(tx.outs):
        said = codec.output(out.script)
        if out.script and said.kind not in ("nulldata", "call"):
            made.append(Coin(txid, n, out.value, out.script, said.key_hash, height, position, kind))
    return made


def take(
    db: sqlite3.Connection, block: int, height: int, transactions: Sequence[tuple[Tx, bytes]]
) -> tuple[list[Coin], list[Coin]]:
    """Spend and make what a block's transactions (with their ids) do; the coins spent and the coins made.

    KeyError where an input is not there: the caller has checked, so that is a mistake of ours.
    """
    gone: list[Coin] = []
    new: list[Coin] = []
    for position, (tx, txid) in enumerate(transactions):
        if not tx.is_coinbase:
            for place, tx_input in enumerate(tx.ins):
                spent = coin(db, tx_input.place)
                if spent is None:
                    raise KeyError(f"{codec.shown(tx_input.txid)}:{tx_input.n} is not unspent")
                gone.append(spent)
                db.execute(
                    "INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (block, position, place, *spent)
                )
                db.execute("DELETE FROM coins WHERE id = ? AND n = ?", tx_input.place)
        made = outputs(tx, txid, height, position)
        new += made
        db.executemany("INSERT INTO coins VALUES (?, ?, ?, ?, ?, ?, ?, ?)", made)
    return gone, new


def give_back(db: sqlite3.Connection, block: int, height: int) -> None:
    """Undo `take` of the newest block. What it spent is kept with the block, for those who still ask for it."""
    db.execute("DELETE FROM coins WHERE height = ?", (height,))
    db.execute(
        f"INSERT INTO coins SELECT {COIN_COLUMNS.replace('position', 'first')} FROM spent"  # noqa: S608 - a constant
        " WHERE block = ? AND height < ?",
        (block, height),
    )


def spender(db: sqlite3.Connection, place: tuple[bytes, int]) -> tuple[bytes, int, int] | None:
    """Who spent an output in the present branch: transaction, which input of it, height; None while unspent."""
    row = db.execute(
        "SELECT t.id, s.place, b.height FROM spent s JOIN blocks b ON b.id = s.block AND b.active"
        " JOIN transactions t ON t.block = s.block AND t.position = s.position WHERE s.id = ? AND s.n = ?",
        place,
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def spent_by(db: sqlite3.Connection, block: int, position: int) -> list[Coin]:
    """The coins that one transaction of a stored block spent, in the order of its inputs."""
    rows = db.execute(
        "SELECT id, n, value, script, owner, height, first, kind FROM spent WHERE block = ? AND position = ?"
        " ORDER BY place",
        (block, position),
    )
    return [Coin(*row) for row in rows]


def where(db: sqlite3.Connection, txid: bytes) -> tuple[int, int, int] | None:
    """Where a transaction is in the present branch: stored block, position, height; None where it is in no block."""
    row = db.execute(
        "SELECT t.block, t.position, b.height FROM transactions t JOIN blocks b ON b.id = t.block AND b.active"
        " WHERE t.id = ?",
        (txid,),
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def total(coins: Iterable[Coin]) -> int:
    """Their value together."""
    return sum(coin.value for coin in coins)


def supply(db: sqlite3.Connection) -> int:
    """Satoshi of all unspent coins."""
    return int(db.execute("SELECT COALESCE(SUM(value), 0) FROM coins").fetchone()[0])


def made(db: sqlite3.Connection) -> int:
    """Satoshi that blocks of the present branch made out of nothing, the seed's included."""
    return int(db.execute("SELECT COALESCE(SUM(made), 0) FROM blocks WHERE active").fetchone()[0])
