"""Which blocks were recorded of late, for whoever tells of gaps."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from valtrac.snapshots.store import tables as t

S = t.snapshots.c
Place = tuple[str, int]  # hotkey, netuid


def recorded(conn: sa.Connection, since: datetime) -> dict[Place, list[tuple[int, datetime]]]:
    """(hotkey, netuid) -> (block, its time) of the snapshots since then, with the last one before; by block."""
    rows = conn.execute(
        sa.select(S.hotkey, S.netuid, S.block, S.at).where(S.at >= since).order_by(S.hotkey, S.netuid, S.block)
    )
    by_place: dict[Place, list[tuple[int, datetime]]] = {}
    for row in rows:
        by_place.setdefault((row.hotkey, row.netuid), []).append((row.block, row.at))
    for (hotkey, netuid), blocks in by_place.items():
        before = conn.execute(
            sa.select(S.block, S.at)
            .where(S.hotkey == hotkey, S.netuid == netuid, S.block < blocks[0][0])
            .order_by(S.block.desc())
            .limit(1)
        ).first()
        if before is not None:
            blocks.insert(0, (before.block, before.at))
    return by_place


def newest(conn: sa.Connection) -> dict[Place, tuple[int, datetime]]:
    """(hotkey, netuid) -> (block, its time) of the newest snapshot."""
    last = sa.select(S.hotkey, S.netuid, sa.func.max(S.block).label("block")).group_by(S.hotkey, S.netuid).subquery()
    rows = conn.execute(
        sa.select(S.hotkey, S.netuid, S.block, S.at).join(
            last, sa.and_(last.c.hotkey == S.hotkey, last.c.netuid == S.netuid, last.c.block == S.block)
        )
    )
    return {(row.hotkey, row.netuid): (row.block, row.at) for row in rows}
