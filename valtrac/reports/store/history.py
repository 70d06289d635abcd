"""Snapshots read as one matrix, for statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from valtrac.reports.model.history import UNIT, History
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.frames import walk
from valtrac.snapshots.store.snapshots import addresses

S = t.snapshots.c
WHOLE_TAKE = 65_535


def load(conn: sa.Connection, hotkey: str, netuid: int, from_block: int, to_block: int) -> History:
    """The snapshots of one subnet with from_block <= block <= to_block; of no length where there are none."""
    here = (S.hotkey == hotkey, S.netuid == netuid, S.block.between(from_block, to_block))
    rows, frames = [], []
    for row, frame in walk(conn, here, S.at, S.owner_stake, S.price_rao, S.take_raw, S.verified):
        rows.append((row.block, row.at, row.owner_stake, row.price_rao, row.take_raw, row.verified))
        frames.append((frame.ids, frame.stakes))
    ids = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *{id(ids): ids for ids, _ in frames}.values()]))
    stakes = np.zeros((len(rows), len(ids)))
    frames.reverse()
    for place in range(len(rows)):
        roster, held = frames.pop()  # what was put into the matrix is not kept beside it
        stakes[place, np.searchsorted(ids, roster)] = held
    stakes /= UNIT
    blocks, at, owner, price, take, verified = zip(*rows, strict=True) if rows else ((),) * 6
    return History(
        np.array(blocks, dtype=np.int64),
        tuple(at),
        _names(conn, ids.tolist()),
        stakes,
        np.array([units / UNIT for units in owner]),
        np.array([(units or 0) / UNIT for units in price]),
        np.array([np.nan if raw is None else raw / WHOLE_TAKE for raw in take]),
        np.array(verified, dtype=bool),
    )


def _names(conn: sa.Connection, ids: Sequence[int]) -> tuple[str, ...]:
    names = addresses(conn, set(ids))
    return tuple(names[number] for number in ids)
