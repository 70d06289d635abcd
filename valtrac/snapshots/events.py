"""What the record of stakes has to tell: blocks that are missing in it, subnets that are not recorded any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa

from valtrac.core.addresses import shortened
from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.database.engine import reading
from valtrac.snapshots.store import events as stored

A_DAY, AGAIN = timedelta(days=1), timedelta(hours=6)
FORGOTTEN_AFTER = 50_400  # blocks, a week: a subnet that was left for good is not missed for ever
GAP, MISSING, LATE = KINDS = (
    EventKind("snapshots.gap", "A gap in the record of stakes", Severity.WARNING),
    EventKind("snapshots.subnet", "A subnet is not recorded", Severity.WARNING, "A subnet is recorded again", A_DAY),
    EventKind("snapshots.late", "No stakes are recorded", Severity.CRITICAL, "Stakes are recorded again", AGAIN),
)
FIX = "run.py logger status"


@dataclass(frozen=True, slots=True)
class SnapshotEvents:
    """The events of the record in one database. interval: blocks between snapshots; block_s: seconds that a block
    takes, None on a rehearsal chain, which has a time of its own."""

    engine: sa.Engine
    interval: int
    block_s: float | None

    name = "snapshots"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """Gaps of more than two intervals. Snapshots carry the chain's time, so a day more than asked for is read."""
        with reading(self.engine) as conn:
            by_place = stored.recorded(conn, since - A_DAY)
        for (hotkey, netuid), blocks in by_place.items():
            for (before, _), (block, block_time) in pairwise(blocks):
                if block - before > 2 * self.interval:
                    where = f"{shortened(hotkey)}, netuid {netuid}"
                    words = f"Nothing was recorded of {where} between blocks {before} and {block}."
                    yield Event(f"{GAP.name}:{hotkey}:{netuid}:{block}", GAP.name, block_time, words, "", FIX)

    def states(self, now: datetime) -> Iterable[Event]:
        """Subnets that are missing beside the others of their hotkey, and hotkeys of which nothing new is recorded."""
        with reading(self.engine) as conn:
            by_place = stored.newest(conn)
        last: dict[str, tuple[int, datetime]] = {}
        for (hotkey, _), newest in by_place.items():
            last[hotkey] = max(newest, last.get(hotkey, newest))
        for (hotkey, netuid), (block, block_time) in sorted(by_place.items()):
            behind = last[hotkey][0] - block
            if self.interval * 3 // 2 < behind <= FORGOTTEN_AFTER:
                words = f"Netuid {netuid} of {shortened(hotkey)} is not recorded since block {block}; others are."
                yield Event(f"{MISSING.name}:{hotkey}:{netuid}", MISSING.name, block_time, words, "", FIX)
        if self.block_s is None:
            return
        for hotkey, (block, block_time) in sorted(last.items()):
            if (now - block_time).total_seconds() > 3 * self.interval * self.block_s:
                words = (
                    f"Nothing of {shortened(hotkey)} is recorded since block {block}, {block_time:%Y-%m-%d %H:%M} UTC."
                )
                yield Event(f"{LATE.name}:{hotkey}", LATE.name, block_time, words, "", FIX)

    def status(self, now: datetime) -> Status | None:
        """The newest block that is recorded."""
        with reading(self.engine) as conn:
            newest = stored.newest(conn)
        if not newest:
            return None
        block, block_time = max(newest.values())
        return Status(
            f"stakes are recorded up to block {block}, {block_time:%Y-%m-%d %H:%M} UTC", f"stakes blk {block}"
        )
