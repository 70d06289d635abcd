"""The file of a rehearsal chain as one reader has it open: up to date with the clock, unless a fault strikes."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

from bittensor.result import ChainError

from valtrac.devnet.bittensor import faults, memory, produce, state
from valtrac.devnet.bittensor.state import BlockRow, Settings
from valtrac.devnet.bittensor.world import Clock

CONNECTION_LOST = "the connection to the rehearsal chain was lost"
Hook = Callable[[str], None]
"""Called with the name of an access ("query", "submit", ...) before it happens; may raise."""


class ChainFile:
    """A rehearsal chain's state, opened when it is first asked for.

    clock: seconds since 1970. before_access: hooks, so that a test can act between any two steps.
    """

    def __init__(self, path: Path | str, *, clock: Clock = time.time, before_access: Sequence[Hook] = ()) -> None:
        self.path = Path(path)
        self.clock = clock
        self.before_access = list(before_access)
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def connect(self) -> None:
        """Open the file. Idempotent."""
        await self.access("connect")

    async def close(self) -> None:
        """Close the file; the next access opens it again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    async def access(self, kind: str) -> sqlite3.Connection:
        """The state, up to date with the clock, unless a fault strikes (ChainError)."""
        for hook in self.before_access:
            hook(kind)
        db = self._opened()
        slow_s = faults.fault(db, "slow")
        if slow_s:
            await asyncio.sleep(slow_s)
            memory.look(db)
        if faults.spend(db, "down"):
            raise ChainError(CONNECTION_LOST)
        if produce.due(db, self._now_ms()):
            with state.writing(db):
                produce.grow(db, produce.due(db, self._now_ms()))
        return db

    def _opened(self) -> sqlite3.Connection:
        """The file, opened once; anew where another file has taken its place (a chain seeded with force).

        What other processes have written to it is seen from here on.
        """
        try:
            facts = os.stat(self.path)
            file = (facts.st_dev, facts.st_ino)
        except (OSError, ValueError):
            file = None
        if self._db is None or file != self._file:
            if self._db is not None:
                self._db.close()
            self._db, self._file = None, file
            self._db = state.connect(self.path)
        memory.look(self._db)
        return self._db

    def facts(self) -> Settings:
        """What is fixed of the chain, whatever faults there are. ChainUnreachable where there is none."""
        return state.settings(self._opened())

    def advance(self, blocks: int) -> int:
        """Produce blocks now, whatever the clock says; the new height."""
        return produce.advance(self.path, blocks)

    def genesis(self, db: sqlite3.Connection) -> str:
        """The hash of block 0, or another chain's where that fault is in force."""
        genesis = state.settings(db).genesis
        if faults.fault(db, "wrong_genesis"):
            return "0x" + blake2b(genesis.encode(), digest_size=32).hexdigest()
        return genesis

    def _now_ms(self) -> int:
        return int(self.clock() * 1000)

    def block(self, db: sqlite3.Connection, block_hash: str | None) -> BlockRow | None:
        """A block of the present branch (None: the head), or None for an unknown hash."""
        if block_hash is None:
            return state.head(db)
        return state.block_by_number(db, 0) if block_hash == self.genesis(db) else state.block_by_hash(db, block_hash)

    def state_at(self, db: sqlite3.Connection, block_hash: str | None) -> BlockRow:
        """The block whose state is asked for. ChainError: not known, or pruned."""
        block = self.block(db, block_hash)
        if block is None:
            raise ChainError(f'Block not found for "{block_hash}"')
        if faults.state_discarded(db, block.number):
            raise ChainError(
                f"State discarded for {block.hash}. This indicates the block is too old, and you should "
                "instead make this request using an archive node."
            )
        return block

    def hash_of(self, db: sqlite3.Connection, number: int) -> str:
        """The hash of a height. ChainError above the head."""
        block = state.block_by_number(db, number)
        if block is None:
            raise ChainError(f"no block at height {number}")
        return block.hash if number else self.genesis(db)
