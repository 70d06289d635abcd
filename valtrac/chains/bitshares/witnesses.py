"""Who signs blocks, followed from a start that was agreed upon; and which blocks enough of them have built on. Pure.

A block is final for us once 70 % of the known witnesses have each signed a block that descends from it, by their own
keys: that is the chain's own rule for what is irreversible (db_update.cpp, update_last_irreversible_block), counted
here instead of believed. What such a block says then holds, too: a witness_update in it changes a key, and whoever
signed it is a witness with that key, for the others built on it. So elections are followed without being asked for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from valtrac.chains.bitshares.bodies import Forged, Sealed
from valtrac.core.chain import Roster

UNSEEN_BLOCKS = 28_800  # a day: who has not signed for so long is not counted any more


class Following:
    """Takes blocks in order and lets go of them, in order, once enough witnesses have built on them."""

    def __init__(self, roster: Roster) -> None:
        self.keys = {witness: bytes.fromhex(key) for witness, key in roster.keys.items()}
        self._told = roster
        self._head: Sealed | None = None
        self._final: Sealed | None = None
        self._pending: deque[Sealed] = deque()
        self._newest: dict[tuple[str, bytes], int] = {}
        self._seen = dict.fromkeys(self.keys, roster.block)

    def push(self, block: Sealed) -> list[Sealed]:
        """Take the next block; those that are final by it. Raises Forged where it does not follow from the last."""
        head = self._head
        if head is not None and (block.previous != head.id or block.number != head.number + 1 or block.at <= head.at):
            raise Forged(f"block {block.number} does not follow from the one before")
        self._head = block
        self._pending.append(block)
        if block.key:
            self._newest[block.witness, block.key] = block.number
        done: list[Sealed] = []
        while self._pending and self._pending[0].number <= self._built_on():
            done.append(self._pending.popleft())
            self._learn(done[-1])
        return done

    def news(self) -> Roster | None:
        """The roster as of the newest final block, where it differs from the one told last, or that is a day old."""
        final, told = self._final, self._told
        if final is None:
            return None
        now = {witness: key.hex() for witness, key in self.keys.items()}
        if now == told.keys and final.number < told.block + UNSEEN_BLOCKS:
            return None
        self._told = Roster(final.number, final.id, now)
        return self._told

    def _built_on(self) -> int:
        """The newest block that enough known witnesses have built on; 0 where there is none."""
        newest = sorted(self._newest.get(pair, 0) for pair in self.keys.items())
        return newest[len(newest) * 30 // 100]

    def _learn(self, block: Sealed) -> None:
        """What a final block says about who signs."""
        self._final = block
        if block.key:
            self.keys[block.witness] = block.key
            self._seen[block.witness] = block.number
        for witness, key in block.rekeyed:
            if witness in self.keys:
                self.keys[witness] = key
        if block.number % 1_000 == 0:
            for witness, seen in list(self._seen.items()):
                if seen < block.number - UNSEEN_BLOCKS and len(self.keys) > 1:
                    del self._seen[witness]
                    self.keys.pop(witness, None)


def as_of(rosters: Sequence[Roster], number: int) -> Roster:
    """The roster to begin with at a block: the newest one of a block before it, else the first."""
    return next((roster for roster in reversed(rosters) if roster.block < number), rosters[0])
