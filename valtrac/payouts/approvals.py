"""Approving a draft by its typed total, and voiding what has not been sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import TAO, decimal_text, parse_units
from valtrac.database.engine import reading, writing
from valtrac.payments import checks
from valtrac.payments.model.batches import BatchLine
from valtrac.payments.model.states import BatchState, LineState
from valtrac.payments.producer import Caps
from valtrac.payments.store import batches as stored
from valtrac.payments.store import ledger
from valtrac.payouts import drafts, ranges
from valtrac.payouts.model import anomalies
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.plans import PayoutPlan
from valtrac.payouts.settings import PayoutSettings
from valtrac.payouts.store import batches
from valtrac.people import policies
from valtrac.people.store import people
from valtrac.snapshots.store import claims, snapshots


def approve(
    engine: sa.Engine,
    settings: PayoutSettings,
    caps: Caps,
    batch_id: int,
    typed_total: str,
    *,
    overlap_reason: str = "",
    despite: str = "",
) -> PayoutBatch:
    """Turn a draft into a debt: its lines are owed, its range is claimed, its held balances are reserved.

    typed_total: the sum of the payments as the owner typed it, compared as an exact decimal. despite: the owner's
    words for a batch that differs much from the last ones.
    Raises BadInput when the total differs, Refused when a cap forbids it, what the plan read has
    changed (the differences are listed), its range is claimed already, or it is unusual and nothing was said.
    """
    with reading(engine) as conn:
        batch = batches.get(conn, batch_id)
    _check_typed(batch, typed_total)
    with writing(engine) as conn:
        people.lock(conn)
        batch = batches.get(conn, batch_id)
        check_unchanged(conn, batch)
        lines = stored.lines_of(conn, batch_id)
        checks.check_sums(batch, lines)
        check_pool(batch, lines)
        checks.check_caps(caps, TAO, batch, lines)
        stored.set_state(
            conn,
            batch_id,
            BatchState.DRAFT,
            BatchState.APPROVED,
            approved_at=datetime.now(UTC),
            overlap_reason=overlap_reason[:500],
            despite=despite.strip()[:500],
        )
        _claim(conn, batch, overlap_reason.strip())
        _check_usual(conn, settings, batch, despite)
        stored.move_lines(conn, [line.id for line in lines], LineState.PLANNED, LineState.OWED)
        ledger.book(conn, _entries(batch, lines, +1, f"batch #{batch_id} approved"))
        return batches.get(conn, batch_id)


def _check_typed(batch: PayoutBatch, typed_total: str) -> None:
    """Raise BadInput where the owner typed another total than the one of the batch."""
    if parse_units(typed_total.removesuffix("TAO"), field="total") != batch.total:
        raise BadInput(
            f"the total of batch #{batch.id} is {decimal_text(batch.total)}, not {typed_total.strip()[:40]}",
            fix=f"read the plan once more (run.py payout show {batch.id}), then type its total",
        )


def _claim(conn: sa.Connection, batch: PayoutBatch, overlap_reason: str) -> None:
    """Claim what a payout pays for. Raises Refused naming one whose blocks meet its own, unless there is a reason."""
    if not batch.hotkey:
        return  # held balances claim no blocks
    ranges.check_not_paid_before(conn, batch.hotkey, batch.rules)
    met = batches.overlaps(conn, batch.hotkey, batch.netuid, batch.from_block, batch.to_block, but=batch.id)
    if met and not overlap_reason:
        raise Refused(
            f"batch #{met[0].batch_id} already pays for blocks {met[0].from_block} to {met[0].to_block}",
            why=f"this one pays for blocks {batch.from_block} to {batch.to_block}",
            fix='choose a later range, or say why both shall be paid: --allow-overlap "REASON"',
        )
    ranges.check_end(snapshots.last_block(conn, batch.hotkey, batch.rules.netuid) or 0, batch.rules)
    places = snapshots.places(conn, batch.hotkey, batch.rules.netuid, batch.from_block, batch.to_block)
    claims.claim(conn, batch.id, places)


def void(engine: sa.Engine, batch_id: int, reason: str) -> PayoutBatch:
    """Take a draft or an approved batch back, before anything of it was signed.

    Raises Refused when something was, or when a later batch spent balances that it had held.
    """
    if not reason.strip():
        raise BadInput("say why the batch is voided", why="the ledger keeps the words", fix='--reason "WHY"')
    with writing(engine) as conn:
        return void_in(conn, batches.get(conn, batch_id), reason)


def void_in(conn: sa.Connection, batch: PayoutBatch, reason: str) -> PayoutBatch:
    """`void`, inside the caller's transaction."""
    if not batch.state.may_become(BatchState.VOID):
        raise Refused(
            f"batch #{batch.id} is {batch.state}",
            why="only what was never signed can be taken back",
            fix="what is wrong with a paid batch is put right in a later one",
        )
    lines = stored.lines_of(conn, batch.id)
    stored.set_state(conn, batch.id, batch.state, BatchState.VOID, note=reason[:500])
    aside = [line for line in lines if line.state == LineState.VOID]  # set aside before
    standing = [line.id for line in lines if line not in aside]
    was = LineState.PLANNED if batch.state == BatchState.DRAFT else LineState.OWED
    stored.move_lines(conn, standing, was, LineState.VOID)
    claims.release(conn, batch.id)
    if batch.state == BatchState.APPROVED:
        cause = f"batch #{batch.id} voided: {reason}"[:500]
        ledger.book(conn, _entries(batch, lines, -1, cause))
        ledger.book(conn, [entry for line in aside for entry in aside_entries(line, -1, cause)])
        persons = {line.person for line in lines} | {kept.person for kept in batch.payout.held}
        below = ledger.overdrawn(conn, persons)
        if below:
            name = policies.whom_of(below[0], {term.person: term.name for term in people.terms(conn).users})
            raise Refused(
                f"a later batch already releases what batch #{batch.id} held for {name}",
                fix="void the later batch first",
            )
    return batches.get(conn, batch.id)


def check_unchanged(conn: sa.Connection, batch: PayoutBatch) -> None:
    """Raise Refused, with the differences, when what the plan read is not what is stored now, or the plan made again
    is not the plan that is stored: the hash of what went in proves nothing of what came out."""
    plan, now = drafts.replan(conn, batch)
    if now != batch.inputs_hash:
        raise Refused(
            f"what batch #{batch.id} was computed from has changed since",
            why="what was shown is what is signed",
            fix="make a new draft",
            problems=drafts.differences(batch, plan),
        )
    if _figures(plan) != _figures(batch.payout):
        raise checks.does_not_add_up(batch.id, drafts.differences(batch, plan))


def _figures(plan: PayoutPlan) -> tuple[object, ...]:
    """All that a plan decides: who gets what, who waits, and where the rest is."""
    return plan.lines, plan.held, plan.excluded, plan.unassigned, plan.fee_from_pool


def check_pool(batch: PayoutBatch, lines: Sequence[BatchLine]) -> None:
    """Raise Refused unless the stored lines are those of the plan and every rao of the pool is in one place."""
    parts = [line.from_pool for line in lines]
    parts += [kept.amount for kept in (*batch.payout.held, *batch.payout.excluded)]
    made = sum(parts) + batch.unassigned + batch.payout.fee_from_pool
    wrong = [] if made == batch.pool else [f"the pool: {made}, stored as {batch.pool}"]
    planned = [(line.user, line.address, line.amount) for line in batch.payout.lines]
    if [(line.name, line.address, line.amount) for line in lines] != planned:
        wrong.append("the payments are not those of the plan")
    if wrong:
        raise checks.does_not_add_up(batch.id, wrong)


def unusual(engine: sa.Engine, settings: PayoutSettings, batch_id: int) -> list[anomalies.Finding]:
    """What is unusual about a draft, compared with the last payouts; those that need words first."""
    with reading(engine) as conn:
        return _findings(conn, settings, batches.get(conn, batch_id))


def _findings(conn: sa.Connection, settings: PayoutSettings, batch: PayoutBatch) -> list[anomalies.Finding]:
    if batch.by == "balances":
        return []
    before = batches.before(conn, batch, anomalies.COMPARED)
    return anomalies.findings(batch, before, change_percent=settings.anomaly_percent)


def _check_usual(conn: sa.Connection, settings: PayoutSettings, batch: PayoutBatch, despite: str) -> None:
    """Raise Refused where a draft differs much from the last payouts, and the owner has not said why."""
    grave = [finding.words for finding in _findings(conn, settings, batch) if finding.asks]
    if grave and not despite.strip():
        raise Refused(
            f"batch #{batch.id} is unlike the payouts before it",
            why="a slip in a pool, a range or an address looks like this",
            fix='look at it once more; where it is right, say why: --despite "REASON"',
            problems=grave,
        )


def aside_entries(line: BatchLine, sign: int, cause: str) -> list[dict[str, Any]]:
    """What setting a payment aside books (sign +1), or what takes it back (-1): it goes to the person's balance."""
    common = {"person": line.person, "batch_id": line.batch_id, "line_id": line.id, "cause": cause}
    return [
        {**common, "kind": "held", "units": sign * line.from_pool},
        {**common, "kind": "reserved", "units": -sign * line.released},
    ]


def _entries(batch: PayoutBatch, lines: list[BatchLine], sign: int, cause: str) -> list[dict[str, Any]]:
    """What approving books (sign +1), or what takes it back (-1)."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        common = {"person": line.person, "batch_id": batch.id, "line_id": line.id, "cause": cause}
        rows += [
            {**common, "kind": "accrued", "units": sign * line.from_pool},
            {**common, "kind": "reserved", "units": sign * line.released},
        ]
    for kept in batch.payout.held:
        common = {"person": kept.person, "batch_id": batch.id, "cause": f"{cause}: {kept.reason}"}
        rows += [
            {**common, "kind": "accrued", "units": sign * kept.amount},
            {**common, "kind": "held", "units": sign * kept.amount},
        ]
    for kept in batch.payout.excluded:
        if kept.goes_to:
            common = {"batch_id": batch.id, "units": sign * kept.amount}
            said = f"{cause}: {kept.reason}"
            rows += [
                {**common, "kind": "forfeited", "person": kept.person, "cause": said},
                {**common, "kind": "accrued", "person": kept.goes_to, "cause": f"{said}, of {kept.user}"[:500]},
            ]
    return rows
