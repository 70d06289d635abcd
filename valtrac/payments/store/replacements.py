"""The same transaction signed once more at another price: all that were, beside the first one in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.core.chain import SignedTx
from valtrac.database.engine import genesis_of, insert
from valtrac.payments.store import tables as t

R = t.replacements.c


@dataclass(frozen=True, slots=True)
class Replacement:
    """One that was signed in place of an attempt's first transaction. at: when it was written down."""

    attempt_id: int
    tx_id: str
    raw: bytes = field(repr=False)
    at: datetime


def add(conn: sa.Connection, attempt_id: int, tx: SignedTx) -> bool:
    """Write one down before it is handed over; False where the very same one stands there already."""
    row = {"genesis": genesis_of(conn), "attempt_id": attempt_id, "tx_id": tx.tx_id, "raw": tx.raw}
    added = insert(conn, t.replacements).values(**row, at=datetime.now(UTC)).on_conflict_do_nothing().returning(R.id)
    return conn.execute(added).scalar() is not None


def of_attempts(conn: sa.Connection, attempt_ids: Iterable[int]) -> dict[int, list[Replacement]]:
    """attempt -> what was signed in its place, the oldest first."""
    wanted = sorted(set(attempt_ids))
    rows = conn.execute(sa.select(R.attempt_id, R.tx_id, R.raw, R.at).where(R.attempt_id.in_(wanted)).order_by(R.id))
    by_attempt: dict[int, list[Replacement]] = {}
    for row in rows:
        by_attempt.setdefault(row.attempt_id, []).append(Replacement(row.attempt_id, row.tx_id, row.raw, row.at))
    return by_attempt
