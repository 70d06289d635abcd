"""Who decides what is final on the chain that is paid on, kept beside the journal."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.core.finality import Pin
from valtrac.database.engine import claimed, genesis_of, reading, writing
from valtrac.payments.store import pins


class KeptPins:
    """`valtrac.ports.Pins` in the database of payments. What is pinned before the database is tied to a chain is kept
    with it; nothing of another chain is."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def load(self, genesis: str) -> list[Pin]:
        """Those of a chain, the newest last."""
        with reading(self._engine) as conn:
            return pins.pins(conn, genesis)

    def save(self, pin: Pin) -> None:
        """Keep one more, after the newest; nothing happens where another process was faster."""
        with writing(self._engine) as conn:
            if claimed(conn) and genesis_of(conn) != pin.genesis:
                return
            before = pins.pins(conn, pin.genesis)
            pins.add(conn, pin, before[-1].id if before else 0)

    def saw(self, pin: Pin, block: int, block_hash: str) -> None:
        """Note that a newer block is known to be final under a pinned set."""
        with writing(self._engine) as conn:
            pins.note_proven(conn, pin, block, block_hash)
