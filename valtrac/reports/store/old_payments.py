"""Payments of another program in the database: the only SQL for them. Rows are added and never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.database.engine import insert
from valtrac.reports.store import tables as t

P = t.old_payments.c
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A payment as another program's log tells it. amount: rao; at: UTC; digest: tells it from every other one."""

    source: str
    name: str
    address: str
    amount: int
    from_block: int
    to_block: int
    at: datetime
    digest: str


def add(conn: sa.Connection, payments: Iterable[Told]) -> int:
    """Write those down that are not here yet; how many."""
    now, added = datetime.now(UTC), 0
    for payment in payments:
        values = {name: getattr(payment, name) for name in Told.__dataclass_fields__} | {"created_at": now}
        placed = insert(conn, t.old_payments).values(**values).on_conflict_do_nothing(index_elements=["digest"])
        added += conn.execute(placed.returning(P.id)).scalar() is not None
    return added


def known(conn: sa.Connection, digests: Collection[str]) -> set[str]:
    """Those of some digests that are here."""
    wanted, here = sorted(digests), set[str]()
    for start in range(0, len(wanted), _AT_ONCE):
        here |= set(conn.execute(sa.select(P.digest).where(P.digest.in_(wanted[start : start + _AT_ONCE]))).scalars())
    return here


def between(conn: sa.Connection, first: datetime, last: datetime) -> list[Told]:
    """Those with first <= at < last, the oldest first."""
    rows = conn.execute(sa.select(t.old_payments).where(P.at >= first, P.at < last).order_by(P.at, P.id))
    return [Told(*(getattr(row, name) for name in Told.__dataclass_fields__)) for row in rows]
