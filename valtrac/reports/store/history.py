"""Snapshots read as one matrix, for statistics."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from valtrac.reports.model.history import UNIT, History
from valtrac.snapshots.store import rulings
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.packing import unpack, unpack_ids, walked

S, R, K = t.snapshots.c, t.rosters.c, t.keys.c
_AT_ONCE = 500
WHOLE_TAKE = 65_535


def load(conn: sa.Connection, hotkey: str, netuid: int, from_block: int, to_block: int) -> History:
    """The snapshots of one subnet with from_block <= block <= to_block; of no length where there are none."""
    columns = (S.id, S.block, S.at, S.owner_stake, S.price_rao, S.take_raw, S.verified)
    here = (S.hotkey == hotkey, S.netuid == netuid, S.block.between(from_block, to_block), rulings.counts())
    rows = conn.execute(sa.select(*columns).where(*here).order_by(S.block)).all()
    place_of_row = {row.id: place for place, row in enumerate(rows)}
    packed = _packed(conn, here)
    rosters = _rosters(conn, {row.roster_id for row in packed if row.id in place_of_row})
    ids = np.array(sorted({key for roster in rosters.values() for key in roster.tolist()}), dtype=np.int64)
    places = {number: np.searchsorted(ids, roster) for number, roster in rosters.items()}
    stakes = np.zeros((len(rows), len(ids)), dtype=np.uint64)
    _fill(conn, packed, place_of_row, places, len(ids), stakes)
    return History(
        np.array([row.block for row in rows], dtype=np.int64),
        tuple(row.at for row in rows),
        _names(conn, ids.tolist()),
        stakes.astype(np.float64) / UNIT,
        np.array([row.owner_stake / UNIT for row in rows]),
        np.array([(row.price_rao or 0) / UNIT for row in rows]),
        np.array([np.nan if row.take_raw is None else row.take_raw / WHOLE_TAKE for row in rows]),
        np.array([row.verified for row in rows], dtype=bool),
    )


def _packed(conn: sa.Connection, here: Sequence[sa.ColumnElement[bool]]) -> Sequence[Any]:
    """The compressed columns of the range, and of the older snapshots that these are stored against, by id."""
    columns = (S.id, S.roster_id, S.base_id, S.stakes)
    known: dict[int, Any] = {row.id: row for row in conn.execute(sa.select(*columns).where(*here))}
    while missing := {row.base_id for row in known.values() if row.base_id is not None} - set(known):
        wanted = sorted(missing)[:_AT_ONCE]
        known |= {row.id: row for row in conn.execute(sa.select(*columns).where(S.id.in_(wanted)))}
    return tuple(known[number] for number in sorted(known))


def _fill(
    conn: sa.Connection,
    packed: Sequence[Any],
    place_of_row: dict[int, int],
    places: dict[int, npt.NDArray[np.int64]],
    width: int,
    stakes: npt.NDArray[np.uint64],
) -> None:
    """Decode in the order of ids: a base was there before what is stored against it, and goes after its last use."""
    last_use = {row.base_id: row.id for row in packed if row.base_id is not None}
    decoded: dict[int, tuple[int, npt.NDArray[np.uint64]]] = {}
    ids_of: dict[int, npt.NDArray[np.int64]] = {}

    def roster(number: int) -> npt.NDArray[np.int64]:
        if number not in ids_of:
            ids_of.update(_rosters(conn, {number}))
        return ids_of[number]

    with ThreadPoolExecutor(2) as pool:  # inflating lets other threads run
        unpacked = pool.map(unpack, [row.stakes for row in packed])
    for row, values in zip(packed, unpacked, strict=True):
        if row.base_id is not None:
            base_roster, base = decoded[row.base_id]
            if base_roster != row.roster_id:
                base = _aligned(roster(base_roster), base, roster(row.roster_id))
            values = walked(base, values)
            if last_use[row.base_id] == row.id:
                del decoded[row.base_id]
        if row.id in last_use:
            decoded[row.id] = (row.roster_id, values)
        if row.id in place_of_row:
            if len(values) == width:
                stakes[place_of_row[row.id]] = values
            else:
                stakes[place_of_row[row.id], places[row.roster_id]] = values


def _aligned(
    ids: npt.NDArray[np.int64], values: npt.NDArray[np.uint64], wanted: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """Values by `ids` in the order of `wanted`, zero for who was not there."""
    stakes = np.zeros(len(wanted), dtype=np.uint64)
    places = np.searchsorted(ids, wanted)
    places[places == len(ids)] = 0
    there = ids[places] == wanted if len(ids) else np.zeros(len(wanted), dtype=bool)
    stakes[there] = values[places[there]]
    return stakes


def _rosters(conn: sa.Connection, numbers: set[int]) -> dict[int, npt.NDArray[np.int64]]:
    """Roster -> the numbers of its addresses, rising."""
    wanted, id_lists = sorted(numbers), dict[int, npt.NDArray[np.int64]]()
    for start in range(0, len(wanted), _AT_ONCE):
        chosen = sa.select(R.id, R.ids).where(R.id.in_(wanted[start : start + _AT_ONCE]))
        id_lists |= {row.id: np.array(unpack_ids(row.ids), dtype=np.int64) for row in conn.execute(chosen)}
    return id_lists


def _names(conn: sa.Connection, ids: Sequence[int]) -> tuple[str, ...]:
    addresses: dict[int, str] = {}
    for start in range(0, len(ids), _AT_ONCE):
        chosen = sa.select(K.id, K.address).where(K.id.in_(ids[start : start + _AT_ONCE]))
        addresses |= {row.id: row.address for row in conn.execute(chosen)}
    return tuple(addresses[number] for number in ids)
