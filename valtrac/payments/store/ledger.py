"""The ledger: append-only entries per person and asset, and the hash chain of receipts."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.hashing import canonical
from valtrac.core.ledger_accounts import OWNER, POOL
from valtrac.database.engine import asset_of, genesis_of
from valtrac.payments.model.batches import sealed
from valtrac.payments.model.states import BatchState, LineState
from valtrac.payments.store import tables as t

NOBODYS = (OWNER, POOL)
E, R = t.entries.c, t.receipts.c
_RECEIPTS = sa.select(sa.func.count()).select_from(t.receipts)
_NEWEST = sa.select(R.hash).order_by(R.id.desc()).limit(1)
_NEWEST_OF_CHAIN = _NEWEST.where(R.genesis == sa.bindparam("genesis"))


def book(conn: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Append entries. Each: person, kind, units (negative takes back), cause, and batch_id, line_id where known."""
    now, genesis, asset = datetime.now(UTC), genesis_of(conn), asset_of(conn).symbol
    entries = [
        {"batch_id": None, "line_id": None, **row, "asset": asset, "genesis": genesis, "at": now}
        for row in rows
        if row["units"] != 0
    ]
    if entries:
        conn.execute(t.entries.insert(), entries)


def held(conn: sa.Connection, *, before_batch: int | None = None) -> dict[str, int]:
    """person -> units owed and kept back: held less reserved; below zero: what was overpaid and not taken back yet.

    before_batch: as if this batch had not booked anything yet (what its draft could read).
    """
    balance: dict[str, int] = {}
    for row in conn.execute(_balances()):
        if before_batch is None or row.batch_id != before_batch:
            balance[row.person] = balance.get(row.person, 0) + _signed(row)
    return {person: units for person, units in sorted(balance.items()) if units}


def ages(conn: sa.Connection) -> dict[str, tuple[int, datetime]]:
    """person -> (units held, when the oldest part of it was booked); what is released goes oldest first."""
    parts: dict[str, list[tuple[int, datetime]]] = {}
    columns = (E.person, E.kind, E.units, E.at)
    for row in conn.execute(
        sa.select(*columns).where(E.kind.in_(("held", "reserved")), E.person.not_in(NOBODYS)).order_by(E.id)
    ):
        units, mine = _signed(row), parts.setdefault(row.person, [])
        if units > 0:
            mine.append((units, row.at))
        while units < 0 and mine:
            first, booked_at = mine.pop(0)
            units += first
            if units > 0:
                mine.insert(0, (units, booked_at))
    return {person: (sum(units for units, _ in mine), mine[0][1]) for person, mine in parts.items() if mine}


def overdrawn(conn: sa.Connection, persons: Iterable[str]) -> list[str]:
    """Those of the persons of whom some batch that was not voided releases more than was held for them then.

    What a line releases in the end counts: setting a payment aside takes its release back.
    """
    void = {row.id for row in conn.execute(sa.select(t.batches.c.id).where(t.batches.c.state == BatchState.VOID))}
    wanted, balance, by_line = set(persons), dict[str, int](), dict[int | None, int]()
    entries = []
    for row in conn.execute(_balances()):
        if row.batch_id in void or row.person not in wanted:
            continue
        balance[row.person] = balance.get(row.person, 0) + _signed(row)
        if row.kind == "reserved":
            by_line[row.line_id] = by_line.get(row.line_id, 0) + row.units
            if row.units > 0 and by_line[row.line_id] > 0 and balance[row.person] < 0:
                entries.append(row.person)
    return entries


@functools.cache
def _balances() -> sa.Select[Any]:
    """What makes up balances, in order."""
    columns = (E.person, E.kind, E.units, E.batch_id, E.line_id)
    return sa.select(*columns).where(E.kind.in_(("held", "reserved")), E.person.not_in(NOBODYS)).order_by(E.id)


def _signed(row: Any) -> int:
    return int(row.units if row.kind == "held" else -row.units)


def totals(conn: sa.Connection) -> dict[str, dict[str, int]]:
    """person -> kind -> sum of units over all entries."""
    sums: dict[str, dict[str, int]] = {}
    for row in conn.execute(sa.select(E.person, E.kind, E.units)):
        kinds = sums.setdefault(row.person, {})
        kinds[row.kind] = kinds.get(row.kind, 0) + row.units
    return sums


def entries_of(conn: sa.Connection, batch_id: int) -> list[dict[str, Any]]:
    """The entries that a batch caused, in order."""
    return [
        dict(row._mapping) for row in conn.execute(sa.select(t.entries).where(E.batch_id == batch_id).order_by(E.id))
    ]


def entries_for(conn: sa.Connection, person: str) -> list[dict[str, Any]]:
    """All entries of an account, in order."""
    return [dict(row._mapping) for row in conn.execute(sa.select(t.entries).where(E.person == person).order_by(E.id))]


def known(conn: sa.Connection, person: str) -> bool:
    """Whether anything was ever booked on an account."""
    return conn.execute(sa.select(E.id).where(E.person == person).limit(1)).first() is not None


def on_the_way(conn: sa.Connection) -> dict[str, int]:
    """person -> units booked as owed by batches and neither paid nor taken back yet."""
    lines = t.lines.c
    rows = conn.execute(
        sa.select(lines.person, lines.from_pool, lines.released).where(
            lines.state.in_((LineState.OWED, LineState.CHUNKED))
        )
    )
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.person] = sums.get(row.person, 0) + row.from_pool + row.released
    return sums


def add_receipts(conn: sa.Connection, attempt_id: int, bodies: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
    """Append receipts (line id, body), each sealed with the hash of the one before."""
    genesis, now = genesis_of(conn), datetime.now(UTC)
    previous = conn.execute(_NEWEST_OF_CHAIN, {"genesis": genesis}).scalar() or ""
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


def receipt_of(conn: sa.Connection, line_id: int) -> str | None:
    """The hash of a line's receipt; None while it has none."""
    receipt_hash: str | None = conn.execute(sa.select(R.hash).where(R.line_id == line_id)).scalar()
    return receipt_hash


def receipts(conn: sa.Connection) -> list[dict[str, Any]]:
    """All receipts in order: body (as values), text (as sealed), hash, previous_hash, at."""
    rows = conn.execute(sa.select(t.receipts).order_by(R.id))
    return [{**row._mapping, "body": json.loads(row.body), "text": row.body} for row in rows]


def receipts_after(conn: sa.Connection, receipt_hash: str) -> list[dict[str, Any]] | None:
    """The receipts after one, as `receipts` gives them; None where there is no such receipt."""
    number = conn.execute(sa.select(R.id).where(R.hash == receipt_hash)).scalar()
    if number is None:
        return None
    rows = conn.execute(sa.select(t.receipts).where(R.id > number).order_by(R.id))
    return [{**row._mapping, "body": json.loads(row.body), "text": row.body} for row in rows]


def is_receipt(conn: sa.Connection, receipt_hash: str) -> bool:
    """Whether a receipt has this hash: then all that were sealed before it are here too."""
    return conn.execute(sa.select(R.id).where(R.hash == receipt_hash)).first() is not None


def count_receipts(conn: sa.Connection) -> int:
    """How many receipts there are."""
    return int(conn.execute(_RECEIPTS).scalar_one())


def newest_hash(conn: sa.Connection) -> str:
    """The hash of the newest receipt, or ""."""
    return conn.execute(_NEWEST).scalar() or ""


def payments(conn: sa.Connection, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """The settled payments with first <= the chain's time when they were signed < last, oldest first.

    Each: the receipt's body, its hash, at, person, and batch.
    """
    chosen = (
        sa.select(R.body, R.hash, t.attempts.c.chain_at, t.lines.c.person, t.lines.c.batch_id)
        .join(t.attempts, t.attempts.c.id == R.attempt_id)
        .join(t.lines, t.lines.c.id == R.line_id)
        .where(t.attempts.c.chain_at >= first, t.attempts.c.chain_at < last)
        .order_by(R.id)
    )
    return [
        {**json.loads(row.body), "receipt": row.hash, "at": row.chain_at, "person": row.person, "batch": row.batch_id}
        for row in conn.execute(chosen)
    ]


def paid_for(conn: sa.Connection, line_id: int) -> int:
    """Units that were really paid for a line; 0 before it has landed."""
    rows = conn.execute(sa.select(E.units).where(E.line_id == line_id, E.kind == "paid"))
    return sum(row.units for row in rows)


def transactions_of(conn: sa.Connection, address: str) -> dict[int, str]:
    """batch -> the transaction by which it has paid an address, once that was settled."""
    chosen = (
        sa.select(t.lines.c.batch_id, R.body)
        .join(t.lines, t.lines.c.id == R.line_id)
        .where(t.lines.c.address == address)
        .order_by(R.id)
    )
    return {row.batch_id: str(json.loads(row.body)["tx_id"]) for row in conn.execute(chosen)}


def broken_receipt(conn: sa.Connection) -> str | None:
    """The hash of the first receipt that does not follow from the one before; None: all do."""
    previous = ""
    for row in conn.execute(sa.select(t.receipts).order_by(R.id)):
        if row.previous_hash != previous or sealed(previous, row.body) != row.hash:
            return str(row.hash)
        previous = row.hash
    return None
