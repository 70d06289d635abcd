"""The newest snapshot of each subnet of a hotkey, without its stakes."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.snapshots.model.newest import Newest
from valtrac.snapshots.store import rulings
from valtrac.snapshots.store import tables as t

S = t.snapshots.c


def by_subnet(conn: sa.Connection, hotkey: str) -> list[Newest]:
    """The newest snapshot that counts of each subnet, by netuid."""
    last = (
        sa.select(S.netuid, sa.func.max(S.block).label("block"))
        .where(S.hotkey == hotkey, rulings.counts())
        .group_by(S.netuid)
        .subquery()
    )
    rows = conn.execute(
        sa.select(S.netuid, S.block, S.owner_stake, S.others_stake, S.price_rao)
        .join(last, sa.and_(last.c.netuid == S.netuid, last.c.block == S.block))
        .where(S.hotkey == hotkey)
        .order_by(S.netuid)
    )
    return [Newest(row.netuid, row.block, row.owner_stake + row.others_stake, row.price_rao) for row in rows]
