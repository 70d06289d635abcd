"""Where the paid past ends and where the known present is, in blocks."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.snapshots.model.states import RangeState
from valtrac.snapshots.store import rulings
from valtrac.snapshots.store import tables as t

_RANGES = t.claimed_ranges.c
_LAST_PAID = sa.select(sa.func.max(_RANGES.to_block)).where(_RANGES.state == RangeState.HELD)
_LAST_SEEN = sa.select(sa.func.max(t.snapshots.c.block)).where(rulings.counts())


def first_unpaid(conn: sa.Connection) -> int:
    """The block after the last range that was approved and not voided, over all hotkeys; else 0."""
    last = conn.execute(_LAST_PAID).scalar()
    return 0 if last is None else int(last) + 1


def after_last_snapshot(conn: sa.Connection) -> int:
    """The block after the newest snapshot of any hotkey; 0 without snapshots."""
    last = conn.execute(_LAST_SEEN).scalar()
    return 0 if last is None else int(last) + 1


def present(conn: sa.Connection, finalized: int = 0) -> int:
    """The block whose terms count for a payment now: the finalized head, and never before what was entered last,
    which holds from the block after the newest snapshot."""
    return max(finalized, after_last_snapshot(conn), first_unpaid(conn))
