"""Snapshots in the database: one immutable row each, its stakes in one compressed column.

Most are stored as the steps from an older snapshot of the same hotkey and subnet (`base_id`), at
most `DEEPEST` in a row, so that any one is read by reading few others, whatever came in when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import genesis_of, insert
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import rulings
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.packing import Column, column, pack, pack_ids, steps, unpack, unpack_ids, walked

_AT_ONCE = 500
DEEPEST = 23
S = t.snapshots.c


def newest_block(conn: sa.Connection) -> tuple[int, str] | None:
    """(number, hash) of the newest block whose stakes a node told us; None before any. Imported ones have no hash."""
    chosen = sa.select(S.block, S.block_hash).where(S.genesis == genesis_of(conn), S.block_hash != "")
    row = conn.execute(chosen.order_by(S.block.desc()).limit(1)).first()
    return None if row is None else (int(row.block), str(row.block_hash))


def add(conn: sa.Connection, snapshot: Snapshot) -> bool:
    """Store a snapshot; False when this (hotkey, netuid, block) is there already, equal or not.

    The index `one_snapshot` decides, so that two loggers never store one twice.
    """
    ids = _key_ids(conn, sorted(snapshot.stakes))
    ordered = sorted(snapshot.stakes, key=lambda address: ids[address])
    key_ids = [ids[address] for address in ordered]
    roster = _roster(conn, key_ids)
    values = column([snapshot.stakes[address] for address in ordered])
    base = _base_for(conn, snapshot)
    if base is not None:
        values = steps(values, _aligned(_decoded(conn, [base])[base.id], base.roster_id, roster, key_ids))
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
        "heads": len(ordered),
        "roster_id": roster,
        "base_id": None if base is None else base.id,
        "depth": 0 if base is None else base.depth + 1,
        "stakes": pack(values),
        "digest": snapshot.digest(),
    }
    placed = insert(conn, t.snapshots).values(row).on_conflict_do_nothing(index_elements=["hotkey", "netuid", "block"])
    return conn.execute(placed.returning(S.id)).scalar() is not None


def load(conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> list[Snapshot]:
    """The snapshots of a hotkey with from_block <= block <= to_block, by block and netuid.

    netuid None: of every subnet.
    """
    chosen = _chosen(hotkey, netuid).where(S.block.between(from_block, to_block)).order_by(S.block, S.netuid)
    return _values(conn, conn.execute(chosen).all())


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


def places(
    conn: sa.Connection, hotkey: str, netuid: int | None, from_block: int, to_block: int
) -> list[tuple[int, int]]:
    """(netuid, block) of each snapshot of a range."""
    rows = conn.execute(sa.select(S.netuid, S.block).where(*_of(hotkey, netuid), S.block.between(from_block, to_block)))
    return [(row.netuid, row.block) for row in rows]


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
    stored = conn.execute(
        sa.select(S.digest).where(*_at(snapshot.hotkey, snapshot.netuid), S.block == snapshot.block)
    ).scalar()
    return None if stored is None else bool(stored == snapshot.digest())


def _at(hotkey: str, netuid: int | None) -> list[sa.ColumnElement[bool]]:
    return [S.hotkey == hotkey, *([] if netuid is None else [S.netuid == netuid])]


def _of(hotkey: str, netuid: int | None) -> list[sa.ColumnElement[bool]]:
    """The snapshots of a hotkey that count."""
    return [*_at(hotkey, netuid), rulings.counts()]


def _chosen(hotkey: str, netuid: int | None) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(t.snapshots, t.rosters.c.ids)
        .join(t.rosters, t.rosters.c.id == S.roster_id)
        .where(*_of(hotkey, netuid))
    )


def _column(hotkey: str, netuid: int | None, column: sa.ColumnElement[int]) -> sa.Select[int]:
    return sa.select(column).where(*_of(hotkey, netuid))


def _values(conn: sa.Connection, rows: Iterable[sa.Row[*tuple[Any, ...]]]) -> list[Snapshot]:
    rows = list(rows)
    decoded = _decoded(conn, rows)
    names = _addresses(conn, {key for row in rows for key in decoded[row.id].ids})
    return [
        Snapshot(
            row.hotkey,
            row.netuid,
            row.block,
            row.block_hash,
            row.at,
            row.owner,
            row.owner_stake,
            dict(zip((names[key] for key in decoded[row.id].ids), decoded[row.id].stakes.tolist(), strict=True)),
            row.price_rao,
            row.verified,
            row.take_raw,
            row.dust,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Stakes:
    """The readings of one snapshot: numbers of addresses, rising, and their stakes."""

    ids: list[int]
    stakes: Column


def _base_for(conn: sa.Connection, snapshot: Snapshot) -> sa.Row[*tuple[Any, ...]] | None:
    """The snapshot to store this one against: the newest before it, unless that is too deep already."""
    chosen = _chosen(snapshot.hotkey, snapshot.netuid).where(S.block < snapshot.block).order_by(S.block.desc()).limit(1)
    row = conn.execute(chosen).first()
    return row if row is not None and row.depth < DEEPEST else None


def _decoded(conn: sa.Connection, rows: Iterable[sa.Row[*tuple[Any, ...]]]) -> dict[int, _Stakes]:
    """Snapshot id -> its readings; reads the older snapshots that these are stored against too."""
    known = {row.id: row for row in rows}
    while missing := {row.base_id for row in known.values() if row.base_id is not None} - set(known):
        wanted = sorted(missing)[:_AT_ONCE]
        query = sa.select(t.snapshots, t.rosters.c.ids).join(t.rosters, t.rosters.c.id == S.roster_id)
        known |= {row.id: row for row in conn.execute(query.where(S.id.in_(wanted)))}
    rosters: dict[int, list[int]] = {}
    stakes_by_snapshot: dict[int, _Stakes] = {}
    for number in sorted(known):  # a base was there before what is stored against it
        row = known[number]
        ids = rosters.setdefault(row.roster_id, unpack_ids(row.ids))
        stakes = unpack(row.stakes)
        if row.base_id is not None:
            base_row = known[row.base_id]
            stakes = walked(_aligned(stakes_by_snapshot[row.base_id], base_row.roster_id, row.roster_id, ids), stakes)
        stakes_by_snapshot[number] = _Stakes(ids, stakes)
    return stakes_by_snapshot


def _aligned(base: _Stakes, base_roster: int, roster: int, ids: Sequence[int]) -> Column:
    """The stakes of a base in the order of another roster, zero for who was not there."""
    if base_roster == roster:
        return base.stakes
    there = dict(zip(base.ids, base.stakes.tolist(), strict=True))
    return column([there.get(key, 0) for key in ids])


def _key_ids(conn: sa.Connection, addresses: Sequence[str]) -> dict[str, int]:
    """address -> its small number, given one where it has none."""
    known = _lookup(conn, addresses)
    missing = [address for address in addresses if address not in known]
    if missing:
        conn.execute(
            insert(conn, t.keys).on_conflict_do_nothing(index_elements=["address"]),
            [{"address": address} for address in missing],
        )
        known |= _lookup(conn, missing)
    return known


def _lookup(conn: sa.Connection, addresses: Sequence[str]) -> dict[str, int]:
    ids_by_address: dict[str, int] = {}
    for start in range(0, len(addresses), _AT_ONCE):
        rows = conn.execute(sa.select(t.keys).where(t.keys.c.address.in_(addresses[start : start + _AT_ONCE])))
        ids_by_address |= {row.address: row.id for row in rows}
    return ids_by_address


def _addresses(conn: sa.Connection, ids: set[int]) -> dict[int, str]:
    wanted, addresses = sorted(ids), dict[int, str]()
    for start in range(0, len(wanted), _AT_ONCE):
        rows = conn.execute(sa.select(t.keys).where(t.keys.c.id.in_(wanted[start : start + _AT_ONCE])))
        addresses |= {row.id: row.address for row in rows}
    return addresses


def _roster(conn: sa.Connection, ids: Sequence[int]) -> int:
    packed = pack_ids(ids)
    digest = hashlib.blake2b(packed, digest_size=32).digest()
    conn.execute(
        insert(conn, t.rosters).values(digest=digest, ids=packed).on_conflict_do_nothing(index_elements=["digest"])
    )
    return int(conn.execute(sa.select(t.rosters.c.id).where(t.rosters.c.digest == digest)).scalar_one())
