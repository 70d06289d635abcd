"""Approving a draft by its typed total, and voiding what has not been sent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain import anomalies
from valtrac.domain.batches import Batch, BatchLine, Caps
from valtrac.domain.money import bts, decimal_text, parse_units, rao
from valtrac.errors import BadInput, Refused
from valtrac.services import plans, policies
from valtrac.store import batches, ledger, people, snapshots
from valtrac.store.engine import reading, writing


def approve(
    engine: sa.Engine,
    settings: Settings,
    batch_id: int,
    typed_total: str,
    *,
    overlap_reason: str = "",
    despite: str = "",
) -> Batch:
    """Turn a draft into a debt: its lines are owed, its range is claimed, its held balances are reserved.

    typed_total: the sum of the payments as the owner typed it, compared as an exact decimal. despite: the owner's
    words for a batch that differs much from the last ones.
    Raises BadInput when the total differs, Refused when a cap forbids it, what the plan read has
    changed (the differences are listed), its range is claimed already, or it is unusual and nothing was said.
    """
    with reading(engine) as conn:
        batch = batches.get(conn, batch_id)
    if parse_units(typed_total.removesuffix("TAO"), field="total") != batch.total:
        raise BadInput(
            f"the total of batch #{batch_id} is {decimal_text(batch.total)}, not {typed_total.strip()[:40]}",
            "",
            f"read the plan once more (run.py payout show {batch_id}), then type its total",
        )
    with writing(engine) as conn:
        people.lock(conn)
        batch = batches.get(conn, batch_id)
        check_unchanged(conn, batch)
        lines = batches.lines_of(conn, batch_id)
        check_sums(batch, lines)
        check_caps(Caps(settings.cap_payment, settings.cap_batch, settings.cap_day), batch, lines)
        batches.move(
            conn,
            batch_id,
            "draft",
            "approved",
            approved_at=datetime.now(UTC),
            overlap_reason=overlap_reason[:500],
            despite=despite.strip()[:500],
        )
        rules = plans.rules_of(batch)
        batches.claim(
            conn,
            batch,
            snapshots.places(conn, batch.hotkey, rules.netuid, batch.from_block, batch.to_block),
            overlap_reason.strip(),
        )
        _check_usual(conn, settings, batch, despite)
        batches.move_lines(conn, [line.id for line in lines], "planned", "owed")
        ledger.book(conn, _entries(batch, lines, +1, f"batch #{batch_id} approved"))
        return batches.get(conn, batch_id)


def void(engine: sa.Engine, batch_id: int, reason: str) -> Batch:
    """Take a draft or an approved batch back, before anything of it was signed.

    Raises Refused when something was, or when a later batch spent balances that it had held.
    """
    if not reason.strip():
        raise BadInput("say why the batch is voided", "the ledger keeps the words", '--reason "WHY"')
    with writing(engine) as conn:
        return void_in(conn, batches.get(conn, batch_id), reason)


def void_in(conn: sa.Connection, batch: Batch, reason: str) -> Batch:
    """`void`, inside the caller's transaction."""
    if batch.state not in ("draft", "approved"):
        raise Refused(
            f"batch #{batch.id} is {batch.state}",
            "only what was never signed can be taken back",
            "what is wrong with a paid batch is put right in a later one",
        )
    lines = batches.lines_of(conn, batch.id)
    batches.move(conn, batch.id, batch.state, "void", note=reason[:500])
    aside = [line for line in lines if line.state == "void"]  # set aside before
    batches.move_lines(
        conn,
        [line.id for line in lines if line not in aside],
        "planned" if batch.state == "draft" else "owed",
        "void",
    )
    batches.release_claims(conn, batch.id)
    if batch.state == "approved":
        cause = f"batch #{batch.id} voided: {reason}"[:500]
        ledger.book(conn, _entries(batch, lines, -1, cause))
        ledger.book(conn, [entry for line in aside for entry in aside_entries(line, -1, cause)])
        kept = {line.person for line in lines} | {one["person"] for one in batch.plan["held"]}
        below = ledger.overdrawn(conn, kept)
        if below:
            name = policies.whom_of(below[0], {term.person: term.name for term in people.terms(conn).users})
            raise Refused(
                f"a later batch already releases what batch #{batch.id} held for {name}",
                "",
                "void the later batch first",
            )
    return batches.get(conn, batch.id)


def check_unchanged(conn: sa.Connection, batch: Batch) -> None:
    """Raise Refused, with the differences, when what the plan read is not what is stored now."""
    plan, now = plans.replan(conn, batch)
    if now != batch.inputs_hash:
        raise Refused(
            f"what batch #{batch.id} was computed from has changed since",
            "what was shown is what is signed",
            "make a new draft",
            problems=plans.differences(batch, plan),
        )


def check_sums(batch: Batch, lines: list[BatchLine]) -> None:
    """Raise Refused unless the stored lines sum to the total and every rao of the pool is in one place."""
    parts = [line.from_pool for line in lines]
    parts += [kept["amount"] for kept in (*batch.plan["held"], *batch.plan["excluded"])]
    sums = {
        "the total": (sum(line.amount for line in lines), batch.total),
        "the pool": (sum(parts) + batch.unassigned + batch.plan["fee_from_pool"], batch.pool),
        "the amounts": (sum(line.from_pool + line.released - line.fee_share for line in lines), batch.total),
    }
    wrong = [f"{name}: {made}, stored as {kept}" for name, (made, kept) in sums.items() if made != kept]
    planned = [(line["user"], line["address"], line["amount"]) for line in batch.plan["lines"]]
    if [(line.name, line.address, line.amount) for line in lines] != planned:
        wrong.append("the payments are not those of the plan")
    if wrong or any(line.amount <= 0 for line in lines):
        raise Refused(
            f"the figures of batch #{batch.id} do not add up",
            "the database was changed by other hands",
            "bring a backup back, and do not pay from this database",
            problems=wrong,
        )


def check_caps(caps: Caps, batch: Batch, lines: list[BatchLine]) -> None:
    """Raise Refused when a payment or the batch is above what the owner allows."""
    show = bts if batch.standing else rao
    for line in lines:
        if line.amount > caps.payment:
            raise Refused(
                f"{line.name} would get {show(line.amount)}",
                f"the cap per payment is {show(caps.payment)}",
                "raise VALTRAC_CONTRACTS_CAP_PAYMENT, or pay it by hand"
                if batch.standing
                else "raise VALTRAC_CAP_PAYMENT, or share a smaller pool",
            )
    if batch.total > caps.batch:
        raise Refused(
            f"batch #{batch.id} pays {show(batch.total)}",
            f"the cap per batch is {show(caps.batch)}",
            "raise VALTRAC_CONTRACTS_CAP_DAY" if batch.standing else "raise VALTRAC_CAP_BATCH, or share a smaller pool",
        )


def unusual(engine: sa.Engine, settings: Settings, batch_id: int) -> list[anomalies.Finding]:
    """What is unusual about a draft, compared with the last payouts; those that need words first."""
    with reading(engine) as conn:
        return _findings(conn, settings, batches.get(conn, batch_id))


def _findings(conn: sa.Connection, settings: Settings, batch: Batch) -> list[anomalies.Finding]:
    if batch.spec["by"] == "balances":
        return []
    before = batches.before(conn, batch, anomalies.COMPARED)
    return anomalies.findings(batch, before, change_percent=settings.anomaly_percent)


def _check_usual(conn: sa.Connection, settings: Settings, batch: Batch, despite: str) -> None:
    """Raise Refused where a draft differs much from the last payouts, and the owner has not said why."""
    grave = [finding.words for finding in _findings(conn, settings, batch) if finding.asks]
    if grave and not despite.strip():
        raise Refused(
            f"batch #{batch.id} is unlike the payouts before it",
            "a slip in a pool, a range or an address looks like this",
            'look at it once more; where it is right, say why: --despite "REASON"',
            problems=grave,
        )


def aside_entries(line: BatchLine, sign: int, cause: str) -> list[dict[str, Any]]:
    """What setting a payment aside books (sign +1), or what takes it back (-1): it goes to the person's balance."""
    common = {"person": line.person, "batch_id": line.batch_id, "line_id": line.id, "cause": cause}
    return [
        {**common, "kind": "held", "units": sign * line.from_pool},
        {**common, "kind": "reserved", "units": -sign * line.released},
    ]


def _entries(batch: Batch, lines: list[BatchLine], sign: int, cause: str) -> list[dict[str, Any]]:
    """What approving books (sign +1), or what takes it back (-1)."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        common = {"person": line.person, "batch_id": batch.id, "line_id": line.id, "cause": cause}
        rows += [
            {**common, "kind": "accrued", "units": sign * line.from_pool},
            {**common, "kind": "reserved", "units": sign * line.released},
        ]
    for kept in batch.plan["held"]:
        common = {"person": kept["person"], "batch_id": batch.id, "cause": f"{cause}: {kept['reason']}"}
        rows += [
            {**common, "kind": "accrued", "units": sign * kept["amount"]},
            {**common, "kind": "held", "units": sign * kept["amount"]},
        ]
    for kept in batch.plan["excluded"]:
        if kept.get("goes_to"):
            common = {"batch_id": batch.id, "units": sign * kept["amount"]}
            said = f"{cause}: {kept['reason']}"
            rows += [
                {**common, "kind": "forfeited", "person": kept["person"], "cause": said},
                {**common, "kind": "accrued", "person": kept["goes_to"], "cause": f"{said}, of {kept['user']}"[:500]},
            ]
    return rows
