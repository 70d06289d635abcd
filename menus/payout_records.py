"""Batches for a program: amounts as decimal strings of TAO."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from valtrac.domain.batches import Attempt, Batch, BatchLine
from valtrac.domain.money import decimal_text


def record(found: Batch) -> dict[str, Any]:
    """A plan with its payments."""
    plan = found.plan
    return {
        "batch": found.id,
        "asset": "TAO",
        "pool": decimal_text(found.pool),
        "total": decimal_text(found.total),
        "fee": decimal_text(found.fee),
        "unassigned": decimal_text(found.unassigned),
        "lines": [
            {
                "user": line["user"],
                "address": line["address"],
                "from_pool": decimal_text(line["from_pool"]),
                "released": decimal_text(line["released"]),
                "fee_share": decimal_text(line["fee_share"]),
                "amount": decimal_text(line["amount"]),
            }
            for line in plan["lines"]
        ],
        "held": [_kept(kept) for kept in plan["held"]],
        "excluded": [_kept(kept) for kept in plan["excluded"]],
        "inputs_hash": found.inputs_hash,
        "state": found.state,
        "hotkey": found.hotkey,
        "netuid": found.netuid,
        "from_block": found.from_block,
        "to_block": found.to_block,
        "fee_policy": found.fee_policy,
        "fee_from_pool": decimal_text(plan["fee_from_pool"]),
        "notes": plan["notes"],
    }


def summary(found: Batch) -> dict[str, Any]:
    """A batch without its lines."""
    return {name: value for name, value in record(found).items() if name not in ("lines", "held", "excluded", "notes")}


def whole(found: Batch, lines: Iterable[BatchLine], tried: Iterable[Attempt]) -> dict[str, Any]:
    """A batch with what became of each line and transaction."""
    return {
        **record(found),
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


def _kept(kept: dict[str, Any]) -> dict[str, str]:
    return {"user": kept["user"], "amount": decimal_text(kept["amount"]), "reason": kept["reason"],
            "goes_to": kept.get("goes_to", "")}  # fmt: skip
