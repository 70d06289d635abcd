"""The ledger: append-only entries per person and asset, and the hash chain of receipts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.domain.batches import canonical, sealed
from valtrac.store import tables as t
from valtrac.store.engine import genesis_of

ASSET = "TAO"
OWNER = "owner"
E, R = t.entries.c, t.receipts.c


def book(conn: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append entries. Each: person, kind, units (negative takes back), cause, and batch_id, line_id where known."""
    now, genesis = datetime.now(UTC), genesis_of(conn)
    found = [
        {"batch_id": None, "line_id": None, **row, "asset": ASSET, "genesis": genesis, "at": now}
        for row in rows
        if row["units"] != 0
    ]
    if found:
        conn.execute(t.entries.insert(), found)


def held(conn: sa.Connection, *, before_batch: int | None = None) -> dict[str, int]:
    """person -> rao owed and kept back: held less reserved.

    before_batch: as if this batch had not booked anything yet (what its draft could read).
    """
    chosen = sa.select(E.person, E.kind, E.units, E.batch_id).where(
        E.kind.in_(("held", "reserved", "netted", "forfeited")),
        E.person != OWNER,
    )
    balance: dict[str, int] = {}
    for row in conn.execute(chosen):
        if before_batch is not None and row.batch_id == before_batch:
            continue
        if row.kind in ("held", "reserved"):
            balance[row.person] = balance.get(row.person, 0) + (row.units if row.kind == "held" else -row.units)
    return {person: units for person, units in sorted(balance.items()) if units}


def totals(conn: sa.Connection) -> dict[str, dict[str, int]]:
    """person -> kind -> sum of units over all entries."""
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(sa.select(E.person, E.kind, E.units)):
        kinds = found.setdefault(row.person, {})
        kinds[row.kind] = kinds.get(row.kind, 0) + row.units
    return found


def entries_of(conn: sa.Connection, batch_id: int) -> list[dict[str, Any]]:
    """The entries that a batch caused, in order."""
    return [
        dict(row._mapping) for row in conn.execute(sa.select(t.entries).where(E.batch_id == batch_id).order_by(E.id))
    ]


def add_receipts(conn: sa.Connection, attempt_id: int, bodies: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Append receipts (line id, body), each sealed with the hash of the one before."""
    genesis, now = genesis_of(conn), datetime.now(UTC)
    previous = conn.execute(sa.select(R.hash).where(R.genesis == genesis).order_by(R.id.desc()).limit(1)).scalar() or ""
    rows = []
    for line_id, body in bodies:
        text = canonical(body)
        seal = sealed(previous, text)
        rows.append(
            {
                "genesis": genesis,
                "line_id": line_id,
                "attempt_id": attempt_id,
                "body": text,
                "at": now,
                "previous_hash": previous,
                "hash": seal,
            }
        )
        previous = seal
    if rows:
        conn.execute(t.receipts.insert(), rows)


def receipts(conn: sa.Connection) -> list[dict[str, Any]]:
    """All receipts in order: body (as values), text (as sealed), hash, previous_hash, at."""
    rows = conn.execute(sa.select(t.receipts).order_by(R.id))
    return [{**row._mapping, "body": json.loads(row.body), "text": row.body} for row in rows]


def broken_receipt(conn: sa.Connection) -> str | None:
    """The hash of the first receipt that does not follow from the one before; None: all do."""
    previous = ""
    for row in conn.execute(sa.select(t.receipts).order_by(R.id)):
        if row.previous_hash != previous or sealed(previous, row.body) != row.hash:
            return str(row.hash)
        previous = row.hash
    return None
