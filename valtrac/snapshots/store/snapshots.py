"""Snapshots in the database: one immutable row each, its stakes in one compressed column.

Most are stored as residuals (`residuals.py`) from the newest snapshot of the same hotkey and subnet (`base_id`), at
most `DEEPEST` in a row, so that any one is read by reading few others. One that comes in late, before the newest, is
stored whole by itself. Rows of versions before (`packing.py`, with a roster beside them) are read as they are.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from valtrac.database.engine import genesis_of, insert
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import memory as remembered
from valtrac.snapshots.store import residuals, rulings, sums
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.frames import one, walk
from valtrac.snapshots.store.packing import column, pack_ids
from valtrac.snapshots.store.residuals import Frame

_AT_ONCE = 500
DEEPEST = 539
LOOK_AFTER = 60  # snapshots from one look at whether a checkpoint is due to the next
S = t.snapshots.c
TOLD = (
    *(S.hotkey, S.block_hash, S.at, S.owner, S.owner_stake),
    *(S.price_rao, S.verified, S.take_raw, S.dust),
)

# built once: building a statement takes longer than running it
_NEWEST = (
    sa.select(S.id, S.block, S.depth, S.digest, sa.func.substr(S.stakes, 1, 1).label("kind"))
    .where(S.hotkey == sa.bindparam("of"), S.netuid == sa.bindparam("on"))
    .order_by(S.block.desc())
    .limit(1)
)


@functools.cache
def _placed(dialect: str) -> Any:
    placed = (sqlite if dialect == "sqlite" else postgresql).insert(t.snapshots)
    return placed.on_conflict_do_nothing(index_elements=["hotkey", "netuid", "block"]).returning(S.id)


def newest_block(conn: sa.Connection) -> tuple[int, str] | None:
    """(number, hash) of the newest block whose stakes a node told us; None before any. Imported ones have no hash."""
    chosen = sa.select(S.block, S.block_hash).where(S.genesis == genesis_of(conn), S.block_hash != "")
    row = conn.execute(chosen.order_by(S.block.desc()).limit(1)).first()
    return None if row is None else (int(row.block), str(row.block_hash))


def add(conn: sa.Connection, snapshot: Snapshot) -> bool:
    """Store a snapshot; False when this (hotkey, netuid, block) is there already, equal or not.

    The index `one_snapshot` decides, so that two loggers never store one twice.
    """
    lock(conn, snapshot.hotkey, snapshot.netuid)
    memory = remembered.of(conn)
    place = (snapshot.hotkey, snapshot.netuid)
    frame, names = _framed(conn, memory, snapshot)
    order = remembered.ordered(memory, place, frame.ids, names)
    digest = snapshot.sealed(order.names, frame.stakes[order.places].astype("<u8").tobytes())
    tip = _newest(conn, snapshot)
    body, base, depth, left = _body(conn, memory.tips.get(place), tip, snapshot.block, frame)
    row = {
        "genesis": genesis_of(conn),
        "hotkey": snapshot.hotkey,
        "netuid": snapshot.netuid,
        "block": snapshot.block,
        "block_hash": snapshot.block_hash,
        "at": snapshot.at,
        "owner": snapshot.owner,
        "owner_stake": snapshot.owner_stake,
        "others_stake": snapshot.others_stake,
        "price_rao": snapshot.price_rao,
        "verified": snapshot.verified,
        "take_raw": snapshot.take_raw,
        "dust": snapshot.dust,
        "heads": len(frame),
        "roster_id": _no_roster(conn, memory),
        "base_id": base,
        "depth": depth,
        "stakes": body,
        "digest": digest,
    }
    number = conn.execute(_placed(conn.dialect.name), row).scalar()
    if number is None:
        return False
    if tip is None or tip.block < snapshot.block:
        memory.tips[place] = remembered.Tip(number, digest, left)
    sums.void_after(conn, snapshot.hotkey, [snapshot.netuid], snapshot.block)
    if depth % LOOK_AFTER == 0:
        sums.keep_up(conn, snapshot.hotkey, snapshot.netuid, snapshot.block)
    return True


def lock(conn: sa.Connection, hotkey: str, netuid: int) -> None:
    """Let one writer at a time store snapshots of a hotkey and subnet, until its transaction ends. SQLite has done so
    with BEGIN IMMEDIATE."""
    if conn.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.blake2b(f"{hotkey}|{netuid}".encode(), digest_size=8).digest(), signed=True)
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def _framed(conn: sa.Connection, memory: remembered.Memory, snapshot: Snapshot) -> tuple[Frame, list[str]]:
    """The readings of a snapshot by the numbers of their addresses, and the addresses in that order."""
    names = list(snapshot.stakes)
    stakes = column(list(snapshot.stakes.values()))
    ids = remembered.numbers(conn, memory, names)
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        order = np.argsort(ids)
        ids, stakes, names = ids[order], stakes[order], [names[at] for at in order.tolist()]
    return residuals.frame_of(ids, stakes), names


def _newest(conn: sa.Connection, snapshot: Snapshot) -> sa.Row[*tuple[Any, ...]] | None:
    """The newest snapshot of the same place, whether it counts or not."""
    return conn.execute(_NEWEST, {"of": snapshot.hotkey, "on": snapshot.netuid}).first()


def _body(
    conn: sa.Connection,
    known: remembered.Tip | None,
    tip: sa.Row[*tuple[Any, ...]] | None,
    block: int,
    frame: Frame,
) -> tuple[bytes, int | None, int, Frame]:
    """(the stakes as they are stored, the snapshot they are stored against, how many are so in a row, what the next one
    may be stored against)."""
    if tip is None or tip.block >= block or tip.depth >= DEEPEST or not residuals.is_own(tip.kind):
        return residuals.whole(frame), None, 0, frame
    base = known.frame if known is not None and (known.id, known.digest) == (tip.id, tip.digest) else one(conn, tip.id)
    body, left = residuals.changed(base, frame)
    return body, tip.id, tip.depth + 1, left


def load(conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> list[Snapshot]:
    """The snapshots of a hotkey with from_block <= block <= to_block, by block and netuid.

    netuid None: of every subnet.
    """
    return _values(conn, [*_at(hotkey, netuid), S.block.between(from_block, to_block)])


def at_block(conn: sa.Connection, hotkey: str, netuid: int | None, block: int) -> list[Snapshot]:
    """The snapshots of a hotkey at exactly this block."""
    return load(conn, hotkey, netuid, block, block)


def block_before(conn: sa.Connection, hotkey: str, netuid: int | None, block: int) -> int | None:
    """The newest block below `block` that has a snapshot."""
    return conn.execute(_column(hotkey, netuid, sa.func.max(S.block)).where(S.block < block)).scalar()


def first_block(conn: sa.Connection, hotkey: str, netuid: int | None) -> int | None:
    """The oldest block with a snapshot of this hotkey and subnet."""
    return conn.execute(_column(hotkey, netuid, sa.func.min(S.block))).scalar()


def last_block(conn: sa.Connection, hotkey: str, netuid: int | None) -> int | None:
    """The newest block with a snapshot of this hotkey and subnet."""
    return conn.execute(_column(hotkey, netuid, sa.func.max(S.block))).scalar()


def newest_at(conn: sa.Connection, hotkey: str, netuid: int | None) -> datetime | None:
    """The time of the newest snapshot; None without any."""
    return conn.execute(sa.select(S.at).where(*_of(hotkey, netuid)).order_by(S.block.desc()).limit(1)).scalar()


def first_at(conn: sa.Connection, hotkey: str, netuid: int | None, at: datetime) -> int | None:
    """The block of the first snapshot at or after a time."""
    return conn.execute(_column(hotkey, netuid, sa.func.min(S.block)).where(S.at >= at)).scalar()


def last_at(conn: sa.Connection, hotkey: str, netuid: int | None, at: datetime) -> int | None:
    """The block of the last snapshot at or before a time."""
    return conn.execute(_column(hotkey, netuid, sa.func.max(S.block)).where(S.at <= at)).scalar()


def blocks(conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> list[int]:
    """The blocks of a range that have a snapshot, each once, rising."""
    within = (*_of(hotkey, netuid), S.block.between(from_block, to_block))
    return list(conn.execute(sa.select(S.block).where(*within).distinct().order_by(S.block)).scalars())


def first_unpriced(conn: sa.Connection, hotkey: str, from_block: int, to_block: int) -> tuple[int, int] | None:
    """(netuid, block) of the first snapshot of a range without a price."""
    within = (*_of(hotkey, None), S.block.between(from_block, to_block), S.price_rao.is_(None))
    row = conn.execute(sa.select(S.netuid, S.block).where(*within).order_by(S.block, S.netuid).limit(1)).first()
    return None if row is None else (row.netuid, row.block)


def empty_blocks(conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> list[int]:
    """The blocks of a range at which nobody but the owner had stake (netuid None: any that is worth something)."""
    within = (*_of(hotkey, netuid), S.block.between(from_block, to_block))
    rows = conn.execute(sa.select(S.block, S.others_stake, S.price_rao).where(*within)).all()
    held = {row.block for row in rows if row.others_stake and (netuid is not None or row.price_rao)}
    return sorted({row.block for row in rows} - held)


def netuids_before(conn: sa.Connection, hotkey: str, block: int) -> list[int]:
    """The subnets that have a snapshot below a block."""
    return list(conn.execute(sa.select(S.netuid).where(*_of(hotkey, None), S.block < block).distinct()).scalars())


def last_before(conn: sa.Connection, block: int) -> datetime | None:
    """When the last block up to this one was, of which there is a snapshot of any hotkey."""
    return conn.execute(sa.select(S.at).where(S.block <= block).order_by(S.block.desc()).limit(1)).scalar()


def places(
    conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int
) -> list[tuple[int, int]]:
    """(netuid, block) of each snapshot of a range."""
    rows = conn.execute(sa.select(S.netuid, S.block).where(*_of(hotkey, netuid), S.block.between(from_block, to_block)))
    return [(row.netuid, row.block) for row in rows]


def digests(
    conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int
) -> list[tuple[int, int, bytes]]:
    """(netuid, block, digest as it was stored) of each snapshot of a range, by block and netuid."""
    within = (*_of(hotkey, netuid), S.block.between(from_block, to_block))
    rows = conn.execute(sa.select(S.netuid, S.block, S.digest).where(*within).order_by(S.block, S.netuid))
    return [(row.netuid, row.block, row.digest) for row in rows]


def listed(
    conn: sa.Connection, hotkey: str | None, netuid: int | None, last: int
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The newest snapshots without their stakes: hotkey, netuid, block, at, heads, sums, price, verified, and in
    `ruled_out` the owner's words why it does not count, None where it does."""
    columns = (S.hotkey, S.netuid, S.block, S.at, S.owner, S.owner_stake, S.others_stake, S.price_rao, S.verified)
    chosen = (
        sa.select(*columns, S.heads, t.snapshot_rulings.c.words.label("ruled_out"))
        .outerjoin(t.snapshot_rulings, t.snapshot_rulings.c.snapshot_id == S.id)
        .order_by(S.block.desc(), S.hotkey, S.netuid)
        .limit(last)
    )
    if hotkey:
        chosen = chosen.where(S.hotkey == hotkey)
    if netuid is not None:
        chosen = chosen.where(S.netuid == netuid)
    return conn.execute(chosen).all()


def hotkeys(conn: sa.Connection) -> list[tuple[str, int]]:
    """Every (hotkey, netuid) that has a snapshot."""
    return [
        (row.hotkey, row.netuid)
        for row in conn.execute(
            sa.select(S.hotkey, S.netuid).where(rulings.counts()).distinct().order_by(S.hotkey, S.netuid)
        )
    ]


def same(conn: sa.Connection, snapshot: Snapshot) -> bool | None:
    """Whether the stored snapshot of this place equals the given one; None where there is none."""
    columns = (S.digest, sa.func.substr(S.stakes, 1, 1).label("kind"))
    here = [*_at(snapshot.hotkey, snapshot.netuid), S.block == snapshot.block]
    row = conn.execute(sa.select(*columns).where(*here)).first()
    if row is None:
        return None
    return bool(row.digest == (snapshot.digest() if residuals.is_own(row.kind) else snapshot.first_digest()))


def _at(hotkey: str, netuid: int | None) -> list[sa.ColumnElement[bool]]:
    return [S.hotkey == hotkey, *([] if netuid is None else [S.netuid == netuid])]


def _of(hotkey: str, netuid: int | None) -> list[sa.ColumnElement[bool]]:
    """The snapshots of a hotkey that count."""
    return [*_at(hotkey, netuid), rulings.counts()]


def _column(hotkey: str, netuid: int | None, column: sa.ColumnElement[int]) -> sa.Select[int]:
    return sa.select(column).where(*_of(hotkey, netuid))


def _values(conn: sa.Connection, where: list[sa.ColumnElement[bool]]) -> list[Snapshot]:
    names: dict[int, str] = {}
    snapshots = []
    for row, frame in walk(conn, where, *TOLD):
        ids = frame.ids.tolist()
        missing = {number for number in ids if number not in names}
        if missing:
            names |= addresses(conn, missing)
        stakes = dict(zip(map(names.__getitem__, ids), frame.stakes.tolist(), strict=True))
        snapshots.append(snapshot_of(row, stakes))
    return snapshots


def snapshot_of(row: sa.Row[*tuple[Any, ...]], stakes: dict[str, int]) -> Snapshot:
    """A row with the columns TOLD as a snapshot."""
    return Snapshot(
        row.hotkey,
        row.netuid,
        row.block,
        row.block_hash,
        row.at,
        row.owner,
        row.owner_stake,
        stakes,
        row.price_rao,
        row.verified,
        row.take_raw,
        row.dust,
    )


def addresses(conn: sa.Connection, ids: Collection[int]) -> dict[int, str]:
    """number -> address, of these."""
    if not ids:
        return {}
    within = t.keys.c.id.between(min(ids), max(ids))
    if max(ids) - min(ids) < 4 * len(ids):  # most of what lies between: one question
        return {row.id: row.address for row in conn.execute(sa.select(t.keys).where(within)) if row.id in ids}
    wanted, found = sorted(ids), dict[int, str]()
    for start in range(0, len(wanted), _AT_ONCE):
        rows = conn.execute(sa.select(t.keys).where(t.keys.c.id.in_(wanted[start : start + _AT_ONCE])))
        found |= {row.id: row.address for row in rows}
    return found


def _no_roster(conn: sa.Connection, memory: remembered.Memory) -> int:
    """The roster of rows whose body says itself who is in it: the empty one."""
    if memory.no_roster is not None:
        return memory.no_roster
    packed = pack_ids([])
    digest = hashlib.blake2b(packed, digest_size=32).digest()
    chosen = sa.select(t.rosters.c.id).where(t.rosters.c.digest == digest)
    known = conn.execute(chosen).scalar()
    if known is None:
        placed = insert(conn, t.rosters).values(digest=digest, ids=packed)
        conn.execute(placed.on_conflict_do_nothing(index_elements=["digest"]))
        known = conn.execute(chosen).scalar_one()
    memory.no_roster = int(known)
    return memory.no_roster
