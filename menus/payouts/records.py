"""Batches for a program: amounts as decimal strings of TAO."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from valtrac.core.money import decimal_text
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.fees import fees_of
from valtrac.payouts.model.plans import Kept


def record(batch: PayoutBatch) -> dict[str, Any]:
    """A plan with its payments."""
    plan = batch.payout
    return {
        "batch": batch.id,
        "asset": "TAO",
        "pool": decimal_text(batch.pool),
        "total": decimal_text(batch.total),
        "fee": decimal_text(batch.fee),
        "unassigned": decimal_text(batch.unassigned),
        "lines": [
            {
                "user": line.user,
                "address": line.address,
                "from_pool": decimal_text(line.from_pool),
                "released": decimal_text(line.released),
                "fee_share": decimal_text(line.fee_share),
                "amount": decimal_text(line.amount),
            }
            for line in plan.lines
        ],
        "held": [_kept(kept) for kept in plan.held],
        "excluded": [_kept(kept) for kept in plan.excluded],
        "inputs_hash": batch.inputs_hash,
        "state": batch.state,
        "hotkey": batch.hotkey,
        "netuid": batch.netuid,
        "from_block": batch.from_block,
        "to_block": batch.to_block,
        "fee_policy": batch.fee_policy,
        "fee_from_pool": decimal_text(plan.fee_from_pool),
        "notes": list(plan.notes),
    }


def summary(batch: PayoutBatch) -> dict[str, Any]:
    """A batch without its lines."""
    return {name: value for name, value in record(batch).items() if name not in ("lines", "held", "excluded", "notes")}


def whole(batch: PayoutBatch, lines: Iterable[BatchLine], tried: Iterable[Attempt]) -> dict[str, Any]:
    """A batch with what became of each line and transaction, and of the fee: kept for it, taken by the chain, and what
    of the difference the owner bears (below zero: what is left over is the owner's)."""
    lines, tried = list(lines), list(tried)
    fees = fees_of(batch, lines, tried)
    return {
        **record(batch),
        "fee_kept": decimal_text(fees.kept),
        "fee_taken": None if fees.taken is None or not fees.transactions else decimal_text(fees.taken),
        "fee_of_owner": None if fees.owner is None else decimal_text(fees.owner),
        "line_states": {line.name: line.state for line in lines},
        "transactions": [
            {
                "tx_id": attempt.tx_id,
                "state": attempt.state,
                "amount": decimal_text(attempt.units),
                "block": attempt.block,
                "fee": None if attempt.fee is None else decimal_text(attempt.fee),
                "error": attempt.error,
            }
            for attempt in tried
        ],
    }


def _kept(kept: Kept) -> dict[str, str]:
    return {"user": kept.user, "amount": decimal_text(kept.amount), "reason": kept.reason, "goes_to": kept.goes_to}
