"""What became of batches and transactions since a time, for whoever tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from valtrac.payments.model.states import UNFINISHED, UNRESOLVED, AttemptState, BatchState, LineState
from valtrac.payments.store import tables as t

A, B, K, L = t.attempts.c, t.batches.c, t.chunks.c, t.lines.c


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch that is paid. lines: how many payments; fee: what the chain took, None where it did not say."""

    id: int
    at: datetime
    wallet: str
    total: int
    lines: int
    fee: int | None
    tx_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment of a settled batch, with the transaction that carried it."""

    line_id: int
    name: str
    address: str
    units: int
    tx_id: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A transaction and what became of it. at: when that was written down; None while it is open."""

    tx_id: str
    batch_id: int
    state: AttemptState
    units: int
    error: str
    created_at: datetime
    at: datetime | None


def settled(conn: sa.Connection, producer: str, since: datetime) -> list[Settled]:
    """The batches of a business that were settled since then, the oldest first."""
    rows = conn.execute(
        sa.select(B.id, B.settled_at, B.wallet)
        .where(B.producer == producer, B.state == BatchState.SETTLED, B.settled_at >= since)
        .order_by(B.id)
    ).all()
    return [_settled(conn, row.id, row.settled_at, row.wallet) for row in rows]


def _settled(conn: sa.Connection, batch_id: int, at: datetime, wallet: str) -> Settled:
    units = list(conn.execute(sa.select(L.amount).where(L.batch_id == batch_id, L.state == LineState.PAID)).scalars())
    landed = conn.execute(
        sa.select(A.tx_id, A.fee)
        .join(t.chunks, K.id == A.chunk_id)
        .where(K.batch_id == batch_id, A.state == AttemptState.LANDED)
        .order_by(A.id)
    ).all()
    fees = [row.fee for row in landed]
    fee = None if None in fees else sum(fees)
    return Settled(batch_id, at, wallet, sum(units), len(units), fee, tuple(row.tx_id for row in landed))


def paid(conn: sa.Connection, batch_id: int) -> list[Paid]:
    """The payments of a batch that landed, in order."""
    carried = t.chunk_lines.c
    rows = conn.execute(
        sa.select(L.id, L.name, L.address, L.amount, A.tx_id)
        .join(t.chunk_lines, carried.line_id == L.id)
        .join(t.attempts, A.chunk_id == carried.chunk_id)
        .where(L.batch_id == batch_id, L.state == LineState.PAID, A.state == AttemptState.LANDED)
        .order_by(L.position)
    )
    return [Paid(row.id, row.name, row.address, row.amount, row.tx_id) for row in rows]


def ended(conn: sa.Connection, producer: str, since: datetime) -> list[Ended]:
    """The transactions of a business whose fate was written down since then."""
    return _attempts(conn, producer, A.resolved_at >= since)


def unresolved(conn: sa.Connection, producer: str) -> list[Ended]:
    """The transactions of a business whose fate is open."""
    return _attempts(conn, producer, A.state.in_(UNRESOLVED))


def unfinished(conn: sa.Connection, producer: str) -> list[tuple[int, BatchState, int, datetime]]:
    """(number, state, units that are owed, when it was approved) of the batches that are approved or being sent."""
    batches = conn.execute(
        sa.select(B.id, B.state, B.approved_at, B.created_at)
        .where(B.producer == producer, B.state.in_(UNFINISHED))
        .order_by(B.id)
    ).all()
    owed = sa.select(L.amount).where(L.state.in_((LineState.OWED, LineState.CHUNKED)))
    return [
        (
            row.id,
            BatchState(row.state),
            sum(conn.execute(owed.where(L.batch_id == row.id)).scalars()),
            row.approved_at or row.created_at,
        )
        for row in batches
    ]


def _attempts(conn: sa.Connection, producer: str, condition: sa.ColumnElement[bool]) -> list[Ended]:
    rows = conn.execute(
        sa.select(A.tx_id, K.batch_id, A.state, A.units, A.error, A.created_at, A.resolved_at)
        .join(t.chunks, K.id == A.chunk_id)
        .join(t.batches, B.id == K.batch_id)
        .where(B.producer == producer, condition)
        .order_by(A.id)
    )
    return [
        Ended(row.tx_id, row.batch_id, AttemptState(row.state), row.units, row.error, row.created_at, row.resolved_at)
        for row in rows
    ]
