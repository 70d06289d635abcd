"""Payouts among the batches of a database, with the blocks that they claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.payments.model.batches import Batch
from valtrac.payments.model.states import IN_FORCE, BatchState
from valtrac.payments.store import batches
from valtrac.payments.store import tables as t
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.plans import plan_of, rules_of
from valtrac.snapshots.store import claims

NAME = "payouts"
B = t.batches.c


def get(conn: sa.Connection, batch_id: int) -> PayoutBatch:
    """A payout by its number. Raises BadInput when there is none."""
    batch = batches.of_ids(conn, [batch_id]).get(batch_id)
    if batch is None or batch.producer != NAME:
        raise BadInput(f"there is no batch #{batch_id}", fix="look at the list of batches")
    return typed(conn, [batch])[0]


def listed(conn: sa.Connection, states: Iterable[BatchState] = (), *, limit: int | None = None) -> list[PayoutBatch]:
    """Payouts, the newest first; of some states, or all; no more than `limit`."""
    ours = [batch for batch in batches.listed(conn, states, limit=limit) if batch.producer == NAME]
    return typed(conn, ours)


def typed(conn: sa.Connection, stored: Sequence[Batch]) -> list[PayoutBatch]:
    """Batches of payouts with what they were asked for and computed, in the same order."""
    ranges = claims.of_batches(conn, [batch.id for batch in stored])
    names = [field.name for field in fields(Batch)]
    return [
        PayoutBatch(
            **{name: getattr(batch, name) for name in names},
            rules=rules_of(batch.spec),
            payout=plan_of(batch.plan),
            hotkey=ranges[batch.id].hotkey if batch.id in ranges else "",
        )
        for batch in stored
    ]


def before(conn: sa.Connection, batch: PayoutBatch, limit: int) -> list[PayoutBatch]:
    """The approved payouts that a batch is like (hotkey, subnet, payees), the newest first, without itself."""
    chosen = sa.select(B.id).where(B.id != batch.id, B.producer == NAME, B.state.in_(IN_FORCE))
    ids = conn.execute(chosen.order_by(B.approved_at.desc(), B.id.desc()).limit(limit * 4)).scalars().all()
    known = batches.of_ids(conn, ids)
    others = typed(conn, [known[number] for number in ids])
    like = (batch.hotkey, batch.netuid, batch.by)
    return [other for other in others if (other.hotkey, other.netuid, other.by) == like][:limit]


def overlaps(
    conn: sa.Connection, hotkey: str, netuid: str, from_block: int, to_block: int, *, but: int | None = None
) -> list[claims.ClaimedRange]:
    """The ranges paid for whose blocks meet this one, of the same hotkey and subnet, the newest batch first."""
    return [
        other
        for other in claims.held(conn, hotkey, netuid)
        if other.batch_id != but and other.from_block <= to_block and other.to_block >= from_block
    ]


def last_paid_block(conn: sa.Connection, hotkey: str, netuid: str) -> int | None:
    """The last block that is paid for on this hotkey and subnet."""
    return max((other.to_block for other in claims.held(conn, hotkey, netuid)), default=None)
