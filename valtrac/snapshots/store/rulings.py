"""What the owner said of the record of stakes: which snapshots do not count, what was paid before this ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.database.engine import genesis_of
from valtrac.snapshots.model.states import ClaimState
from valtrac.snapshots.store import tables as t

S, R, P, C = t.snapshots.c, t.snapshot_rulings.c, t.paid_before.c, t.claims.c


def counts() -> sa.ColumnElement[bool]:
    """The condition that a snapshot was not ruled out."""
    return S.id.not_in(sa.select(R.snapshot_id))


def at_block(conn: sa.Connection, hotkey: str, netuid: int | None, block: int) -> dict[int, int]:
    """netuid -> the snapshot's number, of those of a block that count."""
    here = [S.hotkey == hotkey, S.block == block, counts(), *([] if netuid is None else [S.netuid == netuid])]
    return {row.netuid: row.id for row in conn.execute(sa.select(S.id, S.netuid).where(*here))}


def payers_of(conn: sa.Connection, hotkey: str, netuids: Iterable[int], block: int) -> list[int]:
    """The batches that were approved for snapshots of a block."""
    claimed = [C.hotkey == hotkey, C.netuid.in_(list(netuids)), C.block == block, C.state != ClaimState.VOID]
    return list(conn.execute(sa.select(C.batch_id).where(*claimed).distinct().order_by(C.batch_id)).scalars())


def rule_out(conn: sa.Connection, snapshot_ids: Iterable[int], words: str) -> None:
    """Write down that snapshots do not count."""
    now = datetime.now(UTC)
    rows = [{"snapshot_id": number, "words": words[:500], "at": now} for number in snapshot_ids]
    conn.execute(t.snapshot_rulings.insert(), rows)


def first_taken(conn: sa.Connection, hotkey: str) -> int | None:
    """The block of the first snapshot of a hotkey that this ledger read from a chain itself: imported ones carry no
    block's hash. None where there is none."""
    return conn.execute(sa.select(sa.func.min(S.block)).where(S.hotkey == hotkey, S.block_hash != "")).scalar()


def first_imported(conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> int | None:
    """The block of the first imported snapshot of a range that counts."""
    here = [S.hotkey == hotkey, S.block_hash == "", S.block.between(from_block, to_block), counts()]
    here += [] if netuid is None else [S.netuid == netuid]
    return conn.execute(sa.select(sa.func.min(S.block)).where(*here)).scalar()


def paid_before(conn: sa.Connection, hotkey: str) -> int | None:
    """Up to which block a hotkey was paid for before this ledger, as the owner said last; None: he never did."""
    chosen = sa.select(P.block).where(P.hotkey == hotkey).order_by(P.id.desc()).limit(1)
    return conn.execute(chosen).scalar()


def begin_after(conn: sa.Connection, hotkey: str, block: int, words: str) -> None:
    """Write down that a hotkey was paid for up to a block before this ledger."""
    conn.execute(
        t.paid_before.insert().values(
            genesis=genesis_of(conn), hotkey=hotkey, block=block, words=words[:500], at=datetime.now(UTC)
        )
    )
