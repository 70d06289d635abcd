"""Which blocks and snapshots are paid for by which batch: nothing is paid twice by oversight."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.database.engine import genesis_of
from valtrac.snapshots.model.states import ClaimState, RangeState
from valtrac.snapshots.store import tables as t

ALL = "all"
C, R = t.claims.c, t.claimed_ranges.c
_OF_BATCHES = sa.select(t.claimed_ranges).where(R.batch_id.in_(sa.bindparam("batch_ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class ClaimedRange:
    """The blocks of a hotkey that a batch pays for. netuid: a number in text, or `all`."""

    batch_id: int
    hotkey: str
    netuid: str
    from_block: int
    to_block: int
    state: RangeState


def netuid_text(netuid: int | None) -> str:
    """`all` or the number."""
    return ALL if netuid is None else str(netuid)


def plan(conn: sa.Connection, batch_id: int, hotkey: str, netuid: str, from_block: int, to_block: int) -> None:
    """Note which blocks a draft is for; nothing is claimed yet."""
    conn.execute(
        t.claimed_ranges.insert().values(
            genesis=genesis_of(conn),
            batch_id=batch_id,
            hotkey=hotkey,
            netuid=netuid,
            from_block=from_block,
            to_block=to_block,
            state=RangeState.PLANNED,
        )
    )


def of_batches(conn: sa.Connection, batch_ids: Iterable[int]) -> dict[int, ClaimedRange]:
    """batch id -> its range, of those that have one."""
    wanted, by_batch = sorted(set(batch_ids)), dict[int, ClaimedRange]()
    for start in range(0, len(wanted), 500):
        rows = conn.execute(_OF_BATCHES, {"batch_ids": wanted[start : start + 500]})
        by_batch |= {row.batch_id: _range(row) for row in rows}
    return by_batch


def held(conn: sa.Connection, hotkey: str, netuid: str) -> list[ClaimedRange]:
    """The ranges that are paid for, of a hotkey and whatever touches a subnet of it, the newest batch first."""
    touching = [R.hotkey == hotkey, R.state == RangeState.HELD]
    if netuid != ALL:
        touching.append(R.netuid.in_((netuid, ALL)))
    return [_range(row) for row in conn.execute(sa.select(t.claimed_ranges).where(*touching).order_by(R.id.desc()))]


def claim(conn: sa.Connection, batch_id: int, places: Iterable[tuple[int, int]]) -> None:
    """Claim the range of a batch and the snapshots (netuid, block) in it.

    What another batch holds already is marked as an overlap: the caller has seen to it that the owner wants that.
    Behind this stands the index `one_batch_per_snapshot`.
    """
    mine = of_batches(conn, [batch_id])[batch_id]
    conn.execute(
        t.claimed_ranges.update()
        .where(R.batch_id == batch_id, R.state == RangeState.PLANNED)
        .values(state=RangeState.HELD)
    )
    rows = conn.execute(
        sa.select(C.netuid, C.block).where(
            C.hotkey == mine.hotkey, C.state == ClaimState.HELD, C.block.between(mine.from_block, mine.to_block)
        )
    )
    taken = {(row.netuid, row.block) for row in rows}
    claims = [
        {
            "genesis": genesis_of(conn),
            "hotkey": mine.hotkey,
            "netuid": netuid,
            "block": block,
            "batch_id": batch_id,
            "state": ClaimState.OVERLAP if (netuid, block) in taken else ClaimState.HELD,
        }
        for netuid, block in sorted(places)
    ]
    if claims:
        conn.execute(t.claims.insert(), claims)


def release(conn: sa.Connection, batch_id: int) -> None:
    """Give the blocks and snapshots of a voided batch free for another."""
    conn.execute(
        t.claims.update().where(C.batch_id == batch_id, C.state != ClaimState.VOID).values(state=ClaimState.VOID)
    )
    conn.execute(
        t.claimed_ranges.update()
        .where(R.batch_id == batch_id, R.state != RangeState.VOID)
        .values(state=RangeState.VOID)
    )


def _range(row: sa.Row[tuple[object, ...]]) -> ClaimedRange:
    values = {name: getattr(row, name) for name in ClaimedRange.__dataclass_fields__}
    return ClaimedRange(**{**values, "state": RangeState(values["state"])})
