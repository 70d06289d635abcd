"""Who decides what is final: rows that only grow, each after the one that it follows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.core.finality import Origin, Pin
from valtrac.core.grandpa import Weights
from valtrac.database.engine import insert
from valtrac.payments.store import tables as t

S = t.authority_sets.c
_OF_CHAIN = sa.select(t.authority_sets).where(S.genesis == sa.bindparam("genesis")).order_by(S.follows)


def pins(conn: sa.Connection, genesis: str) -> list[Pin]:
    """Those of a chain, the newest last."""
    rows = conn.execute(_OF_CHAIN, {"genesis": genesis})
    return [
        Pin(
            row.genesis,
            row.block,
            row.block_hash,
            row.number,
            _weights(row.weights),
            Origin(row.origin),
            row.words,
            row.proven_block,
            row.proven_hash,
            row.id,
        )
        for row in rows
    ]


def add(conn: sa.Connection, pin: Pin, follows: int) -> None:
    """One more, after the row that it follows (0: none); nothing happens where that one is followed already."""
    conn.execute(
        insert(conn, t.authority_sets)
        .values(
            genesis=pin.genesis,
            follows=follows,
            block=pin.block,
            block_hash=pin.block_hash,
            number=pin.number,
            weights=json.dumps([[key.hex(), weight] for key, weight in pin.weights]),
            origin=pin.origin,
            words=pin.words,
            proven_block=pin.proven_block,
            proven_hash=pin.proven_hash,
            at=datetime.now(UTC),
        )
        .on_conflict_do_nothing(index_elements=["genesis", "follows"])
    )


def note_proven(conn: sa.Connection, pin: Pin, block: int, block_hash: str) -> None:
    """The newest block that is known to be final under a set; never an older one than before."""
    sets = t.authority_sets
    newer = sa.and_(sets.c.id == pin.id, sets.c.proven_block < block)
    conn.execute(sets.update().where(newer).values(proven_block=block, proven_hash=block_hash))


def _weights(text: str) -> Weights:
    return tuple((bytes.fromhex(key), int(weight)) for key, weight in json.loads(text))
