"""The book of shares: what each delegate is owed, what is the pool's. Only ever added to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.columns import identity
from valtrac.database.engine import genesis_of
from valtrac.pool.model.states import Booking
from valtrac.pool.store import tables as t

POOL, OPENING = "pool", "opening"
K, S = t.book.c, t.balances.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking. delegate: an address, POOL or OPENING; units: satoshi, negative takes away."""

    delegate: str
    kind: Booking
    units: int
    words: str = ""


def add(
    conn: sa.Connection, entries: Iterable[Entry], *, block_id: int | None = None, payday_id: int | None = None
) -> None:
    """Book entries and move what they come to, in the caller's transaction; nobody else books until that ends."""
    alone(conn)
    now, genesis = datetime.now(UTC), genesis_of(conn)
    wanted = [entry for entry in entries if entry.units]
    if not wanted:
        return
    common = {"genesis": genesis, "block_id": block_id, "payday_id": payday_id, "at": now}
    rows = [
        {**common, "delegate": entry.delegate, "kind": entry.kind, "units": entry.units, "words": entry.words[:200]}
        for entry in wanted
    ]
    conn.execute(t.book.insert(), rows)
    before = _stored(conn)
    place, after = len(before), dict[str, int]()
    for entry in wanted:
        after[entry.delegate] = after.get(entry.delegate, before.get(entry.delegate, 0)) + entry.units
    fresh = [delegate for delegate in after if delegate not in before]
    if fresh:
        places = {delegate: place + number for number, delegate in enumerate(fresh)}
        conn.execute(t.balances.insert(), [{"delegate": d, "place": places[d], "units": after[d]} for d in fresh])
    moved = [{"b_delegate": d, "b_units": units} for d, units in after.items() if d in before]
    if moved:
        changed = t.balances.update().where(S.delegate == sa.bindparam("b_delegate"))
        conn.execute(changed.values(units=sa.bindparam("b_units", type_=S.units.type)), moved)


def alone(conn: sa.Connection) -> None:
    """Let nobody else book until the transaction ends. SQLite: one that writes has the only lock already."""
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(identity.c.id).with_for_update())


def balances(conn: sa.Connection) -> dict[str, int]:
    """delegate -> satoshi that it is owed and not paid, in the order of first credit; below nothing where a reward was
    undone after it had been paid. Without the pool's own."""
    return {who: units for who, units in _stored(conn).items() if units and who not in (POOL, OPENING)}


def revenue(conn: sa.Connection) -> int:
    """What is the pool's own since the last payday."""
    return _stored(conn).get(POOL, 0)


def opening(conn: sa.Connection) -> int:
    """What an older program left over that belongs to no delegate: it is never paid out."""
    return _stored(conn).get(OPENING, 0)


def of_delegate(conn: sa.Connection, delegate: str) -> list[dict[str, Any]]:
    """Its bookings, in order, each with the height of its block, and the moment, fee and batch of its payday where it
    has one.

    at: the time of that block, or of that payday, whenever it was booked.
    """
    chosen = (
        sa.select(
            t.book,
            t.blocks.c.height,
            t.blocks.c.at.label("block_at"),
            t.paydays.c.due_at,
            t.paydays.c.fee_bps,
            t.paydays.c.batch_id,
        )
        .outerjoin(t.blocks, t.blocks.c.id == K.block_id)
        .outerjoin(t.paydays, t.paydays.c.id == K.payday_id)
        .where(K.delegate == delegate)
        .order_by(K.id)
    )
    rows = [dict(row._mapping) for row in conn.execute(chosen)]
    for row in rows:
        row["at"] = row.pop("block_at") or row["due_at"] or row["at"]
    return rows


def of_block(conn: sa.Connection, block_id: int) -> list[Entry]:
    """What was booked by a block."""
    rows = conn.execute(sa.select(K.delegate, K.kind, K.units, K.words).where(K.block_id == block_id).order_by(K.id))
    return [Entry(row.delegate, Booking(row.kind), row.units, row.words) for row in rows]


def sums(conn: sa.Connection) -> Mapping[tuple[str, Booking], int]:
    """(account, kind) -> everything booked on it, counted anew from all entries: what an audit compares with."""
    counted: dict[tuple[str, Booking], int] = {}
    for row in conn.execute(sa.select(K.delegate, K.kind, K.units)):
        key = row.delegate, Booking(row.kind)
        counted[key] = counted.get(key, 0) + row.units
    return counted


def _stored(conn: sa.Connection) -> dict[str, int]:
    rows = conn.execute(sa.select(S.delegate, S.units).order_by(S.place))
    return {row.delegate: row.units for row in rows}


def last_of_block(conn: sa.Connection, block_id: int) -> int:
    """The number of the last entry by which a block was booked; 0 where none was."""
    mine = sa.select(sa.func.max(K.id)).where(K.block_id == block_id, K.kind != Booking.UNDONE)
    return int(conn.execute(mine).scalar() or 0)


def last_of_payday(conn: sa.Connection, payday_id: int) -> int:
    """The number of the last entry that a payday booked; where it booked none, as nothing was there, of all before it:
    what was booked once the next one was kept is not among them."""
    mine = conn.execute(sa.select(sa.func.max(K.id)).where(K.payday_id == payday_id)).scalar()
    later = conn.execute(sa.select(sa.func.min(K.id)).where(K.payday_id > payday_id)).scalar()
    every = conn.execute(sa.select(sa.func.max(K.id))).scalar()
    return int(mine or (later - 1 if later else every) or 0)


def as_of(conn: sa.Connection, last: int) -> dict[str, int]:
    """account -> what it came to with the entry of this number, in the order of first credit."""
    sums = _stored(conn)  # what came later is taken off: that is little, and the whole book is long
    for row in conn.execute(sa.select(K.delegate, K.units).where(K.id > last)):
        sums[row.delegate] -= row.units
    return {account: units for account, units in sums.items() if units}


def accounts(conn: sa.Connection) -> set[str]:
    """Every delegate that was ever credited."""
    return {who for who in _stored(conn) if who not in (POOL, OPENING)}


def taken_by(conn: sa.Connection, payday_id: int) -> dict[str, int]:
    """delegate -> satoshi that a payday took off it, its fee included."""
    rows = conn.execute(
        sa.select(K.delegate, K.units).where(K.payday_id == payday_id, K.kind == Booking.PAYDAY, K.delegate != POOL)
    )
    return {row.delegate: -row.units for row in rows}
