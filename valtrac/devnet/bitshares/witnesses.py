"""Those who sign the blocks: how many there are, whose turn it is, with which key; and the root over a block's body.

Written apart from the reader's own code: where the two differ, no block fits.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from valtrac.devnet.bitshares import keys, packing
from valtrac.devnet.bitshares.state import Chain

EMPTY_ROOT = "00" * 20
MOST_WITNESSES = 60


@cache
def count(lib_lag: int) -> int:
    """How many witnesses there are: as many as make the block so far back the irreversible one, which is the newest
    that 70 % of them have built on when each makes a block in turn."""
    fitting = [n for n in range(1, MOST_WITNESSES) if n - 1 - n * 30 // 100 == min(lib_lag, MOST_WITNESSES // 2)]
    return fitting[-1]


def turn(chain: Chain, number: int) -> int:
    """The witness who makes the block of that height."""
    return 1 + number % count(chain.lib_lag)


def generation(db: sqlite3.Connection, witness: int, *, before: int = 1 << 32) -> int:
    """How often the witness has changed its key on the present branch in blocks before that one."""
    rows = db.execute("SELECT COUNT(*) FROM rekeyed WHERE witness = ? AND block < ?", (witness, before))
    return int(rows.fetchone()[0])


@lru_cache(1024)
def secret(witness: int, generation: int) -> bytes:
    """The private signing key of a witness. As worthless as every other rehearsal key."""
    return keys.dev_secret(f"witness {witness}", f"signing {generation}")


@lru_cache(1024)
def public(witness: int, generation: int) -> str:
    """The public signing key of a witness ("BTS...")."""
    return keys.public_of(secret(witness, generation))


def header(previous: str, at: int, witness: int, root: str) -> bytes:
    """A block's header as bytes, without its signature."""
    return bytes.fromhex(previous) + struct.pack("<I", at) + packing.varint(witness) + bytes.fromhex(root) + b"\0"


def merkle_root(transactions: Sequence[dict[str, Any]]) -> str:
    """40 hex digits over the transactions of a block with their signatures and results, all of which are void."""
    row = [hashlib.sha256(packing.with_signatures(trx) + _results(trx)).digest() for trx in transactions]
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        row = [
            hashlib.sha256(b"".join(row[place : place + 2])).digest() if place + 1 < len(row) else row[place]
            for place in range(0, len(row), 2)
        ]
    return keys.ripemd160(row[0]).hex()


def _results(trx: dict[str, Any]) -> bytes:
    return packing.varint(len(trx["operations"])) + b"\0" * len(trx["operations"])
