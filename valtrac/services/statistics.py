"""Rows for charts and statistics, from what is stored."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.domain.statistics import StakePoint
from valtrac.store import snapshots
from valtrac.store.engine import reading

UNIT = 10**9


def stake_over_time(engine: sa.Engine, hotkey: str, netuid: int) -> list[StakePoint]:
    """One point per snapshot of a hotkey on one subnet, the oldest first."""
    with reading(engine) as conn:
        rows = snapshots.listed(conn, hotkey, netuid, 1_000_000)
    return [
        StakePoint(row.at, row.block, row.others_stake / UNIT, row.owner_stake / UNIT, row.heads)
        for row in reversed(rows)
    ]
