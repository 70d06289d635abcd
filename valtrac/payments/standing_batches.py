"""Batches that wait for nobody's word: made and approved in one transaction, where the owner has said beforehand what
is to be paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.payments.model.batches import BatchLine
from valtrac.payments.model.states import UNFINISHED, BatchState, LineState
from valtrac.payments.store import batches, ledger


def approved(
    conn: sa.Connection,
    *,
    producer: str,
    wallet: str,
    fee: int,
    lines: Sequence[Mapping[str, Any]],
    spec: Mapping[str, Any],
    plan: Mapping[str, Any],
    inputs_hash: str,
    cause: str,
) -> list[BatchLine]:
    """Write an approved batch with its lines owed and booked; its lines as they are stored, in the order given.

    wallet: who pays, locked by the caller. fee: estimated, in units. lines: each with name, person, address, amount
    and, where there is one, memo; all of an amount accrues with the batch, and its payer bears the fee. spec, plan:
    what it was made by, for the record. inputs_hash: of what it was reckoned from. cause: why it is owed, in words.
    """
    batch_id = batches.insert_draft(
        conn,
        producer=producer,
        wallet=wallet,
        total=sum(line["amount"] for line in lines),
        fee=fee,
        spec=spec,
        plan=plan,
        inputs_hash=inputs_hash,
        lines=[{**line, "from_pool": line["amount"], "released": 0, "fee_share": 0} for line in lines],
    )
    now = datetime.now(UTC)
    batches.set_state(conn, batch_id, BatchState.DRAFT, BatchState.APPROVED, approved_at=now, note="standing policy")
    stored = batches.lines_of(conn, batch_id)
    batches.move_lines(conn, [line.id for line in stored], LineState.PLANNED, LineState.OWED)
    ledger.book(conn, entries(stored, +1, f"batch #{batch_id}, {cause}"))
    return stored


def entries(lines: Sequence[BatchLine], sign: int, cause: str) -> list[dict[str, object]]:
    """What is booked when lines become owed (sign +1) or are given up (-1)."""
    return [
        {
            "person": line.person,
            "kind": "accrued",
            "units": sign * line.amount,
            "batch_id": line.batch_id,
            "line_id": line.id,
            "cause": cause,
        }
        for line in lines
    ]


def unfinished(conn: sa.Connection) -> list[int]:
    """The batches that are not paid yet, the oldest first."""
    return [batch.id for batch in reversed(batches.listed(conn, UNFINISHED))]
