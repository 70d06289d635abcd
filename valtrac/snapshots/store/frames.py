"""Reading the stakes of stored snapshots one after the other, each from the one before: in the memory of two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import sqlalchemy as sa

from valtrac.core.wide import Column
from valtrac.snapshots.store import residuals, rulings
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.packing import unpack, unpack_ids, walked
from valtrac.snapshots.store.residuals import Frame, Ids

S, R = t.snapshots.c, t.rosters.c
Row: TypeAlias = sa.Row[*tuple[Any, ...]]
_AT_ONCE = 500
_FRAME = (S.id, S.block, S.base_id, S.roster_id, S.stakes)


def walk(
    conn: sa.Connection, where: Sequence[sa.ColumnElement[bool]], *columns: Any, all_: bool = False
) -> Iterator[tuple[Row, Frame]]:
    """The snapshots that count (all_: or were ruled out) and meet the conditions, by block and netuid: the columns that
    are asked for (besides id, block, netuid) and the readings. Those that they are stored against are read on the way.
    """
    chosen = sa.select(S.id, S.base_id).where(*where, *([] if all_ else [rulings.counts()]))
    rows = conn.execute(chosen.order_by(S.block, S.netuid)).all()
    wanted = {row.id for row in rows}
    before = _ancestors(conn, {row.base_id for row in rows if row.base_id is not None} - wanted)
    uses = Counter(row.base_id for row in (*rows, *before) if row.base_id is not None)
    decoded: dict[int, tuple[Frame, int]] = {}
    rosters = _Rosters(conn)

    def kept(row: Row) -> Frame:
        base = decoded.get(row.base_id) if row.base_id is not None else None
        frame = _read(row, base, rosters)
        if row.base_id is not None:
            uses[row.base_id] -= 1
            if not uses[row.base_id]:
                del decoded[row.base_id]
        if uses[row.id]:
            decoded[row.id] = frame, row.roster_id
        return frame

    for row in _in_parts(conn, [row.id for row in before], _FRAME):
        kept(row)
    more = [column for column in (S.netuid, *columns) if column not in _FRAME]
    for row in _in_parts(conn, [row.id for row in rows], (*_FRAME, *more)):
        yield row, kept(row)


def one(conn: sa.Connection, snapshot_id: int) -> Frame:
    """The readings of one snapshot, whether it counts or not, as what comes next is stored against."""
    chain = _ancestors(conn, {snapshot_id})
    decoded: dict[int, tuple[Frame, int]] = {}
    rosters = _Rosters(conn)
    for row in _in_parts(conn, [row.id for row in chain], _FRAME):
        decoded = {row.id: (_read(row, decoded.get(row.base_id), rosters), row.roster_id)}
    return decoded[snapshot_id][0]


def _ancestors(conn: sa.Connection, ids: set[int]) -> Sequence[Row]:
    """(id, base_id) of these snapshots and of all that they are stored against, the oldest first."""
    if not ids:
        return []
    found: dict[int, Row] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        chain = sa.select(S.id, S.base_id).where(S.id.in_(wanted[start : start + _AT_ONCE])).cte(recursive=True)
        older = sa.select(S.id, S.base_id).join(chain, chain.c.base_id == S.id)
        found |= {row.id: row for row in conn.execute(sa.select(chain.union(older)))}
    return [found[number] for number in sorted(found)]  # a base was there before what is stored against it


def _in_parts(conn: sa.Connection, ids: Sequence[int], columns: Sequence[Any]) -> Iterator[Row]:
    """The rows of these numbers, in the order of these; a few hundred at a time, since a row may be large."""
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        rows = {row.id: row for row in conn.execute(sa.select(*columns).where(S.id.in_(part)))}
        for number in part:
            yield rows.pop(number)


def _read(row: Row, base: tuple[Frame, int] | None, rosters: _Rosters) -> Frame:
    if residuals.is_own(row.stakes):
        return residuals.read(row.stakes, None if base is None else base[0])
    ids, stakes = rosters.of(row.roster_id), unpack(row.stakes)
    if base is not None:
        stakes = walked(base[0].stakes if base[1] == row.roster_id else _aligned(base[0], ids), stakes)
    return residuals.frame_of(ids, stakes)


def _aligned(base: Frame, ids: Ids) -> Column:
    """The stakes of a frame in the order of another roster, zero for who was not there."""
    stakes = np.zeros(len(ids), dtype=np.uint64)
    if len(base):
        places = np.minimum(np.searchsorted(base.ids, ids), len(base) - 1)
        there = base.ids[places] == ids
        stakes[there] = base.stakes[places[there]]
    return stakes


class _Rosters:
    """The rosters of the older form, each read once while it is of use."""

    def __init__(self, conn: sa.Connection) -> None:
        self._conn = conn
        self.of = lru_cache(maxsize=64)(self._of)

    def _of(self, number: int) -> Ids:
        packed = self._conn.execute(sa.select(R.ids).where(R.id == number)).scalar_one()
        return np.array(unpack_ids(packed), dtype=np.int64)
