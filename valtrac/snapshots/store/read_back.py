"""Every stored snapshot read from its bytes again, and compared with what was written down when it was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from valtrac.snapshots.store import memory as remembered
from valtrac.snapshots.store import residuals
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.frames import walk
from valtrac.snapshots.store.snapshots import TOLD, addresses, snapshot_of

S = t.snapshots.c


def places_recorded(conn: sa.Connection) -> list[tuple[str, int, int]]:
    """Every (hotkey, netuid) and how many snapshots it has, ruled out or not."""
    chosen = sa.select(S.hotkey, S.netuid, sa.func.count()).group_by(S.hotkey, S.netuid).order_by(S.hotkey, S.netuid)
    return [(hotkey, netuid, snapshots) for hotkey, netuid, snapshots in conn.execute(chosen)]


def read_back(conn: sa.Connection, hotkey: str, netuid: int) -> Iterator[tuple[int, int, str]]:
    """(block, readings, what is wrong or "") of each stored snapshot of a place, read from its bytes.

    Wrong is what does not give the digest, the number of heads or the sum that were written down with it.
    """
    memory, names = remembered.Memory(), dict[int, str]()
    columns = (*TOLD, S.others_stake, S.heads, S.digest)
    for row, frame in walk(conn, (S.hotkey == hotkey, S.netuid == netuid), *columns, all_=True):
        ids = frame.ids.tolist()
        if missing := {number for number in ids if number not in names}:
            names |= addresses(conn, missing)
        told = [names.get(number, "") for number in ids]
        stakes = dict(zip(told, frame.stakes.tolist(), strict=True))
        snapshot = snapshot_of(row, stakes)
        if residuals.is_own(row.stakes):
            order = remembered.ordered(memory, (hotkey, netuid), frame.ids, told)
            digest = snapshot.sealed(order.names, frame.stakes[order.places].astype("<u8").tobytes())
        else:
            digest = snapshot.first_digest()
        wrong = [
            *(["its stakes are not those that were recorded"] if digest != row.digest else []),
            *([f"it has {len(ids)} heads, not {row.heads}"] if len(ids) != row.heads else []),
            *(["its stakes do not sum to what is beside them"] if snapshot.others_stake != row.others_stake else []),
        ]
        yield row.block, len(ids), "; ".join(wrong)
