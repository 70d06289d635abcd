"""Who signs the blocks of the chain, kept in the trail: what is read from run to run is checked against it."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.contracts.store import audit_events
from valtrac.core.chain import Roster
from valtrac.database.engine import claimed, reading, writing

WITNESSES = "witnesses"


class KeptRosters:
    """`valtrac.ports.Rosters` in the database of contracts. What is learned before the database is tied to a chain is
    kept until it is."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._waiting: list[Roster] = []

    def load(self) -> list[Roster]:
        """All of them, the oldest first."""
        with reading(self._engine) as conn:
            events = audit_events.search(conn, kind=WITNESSES, limit=1_000_000)
        return [Roster(event.msg["block"], event.msg["block_id"], event.msg["keys"]) for event in reversed(events)]

    def save(self, roster: Roster) -> None:
        """Keep one more; of two processes that learn the same, one writes it."""
        self._waiting.append(roster)
        with writing(self._engine) as conn:
            if not claimed(conn):
                return
            newest = audit_events.last(conn, WITNESSES)
            known = newest.msg["block"] if newest else -1
            for waiting in self._waiting:
                if waiting.block > known:
                    msg = {"block": waiting.block, "block_id": waiting.block_id, "keys": dict(waiting.keys)}
                    audit_events.add(conn, WITNESSES, msg)
            self._waiting.clear()
