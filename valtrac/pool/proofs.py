"""One payment of a payday, proven: from the delegate's coins at each block to the receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.hashing import canonical
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.store import batches, ledger
from valtrac.pool.model.states import Booking
from valtrac.pool.model.verify_proof import KIND
from valtrac.pool.store import blocks, book, paydays
from valtrac.tables.write import write_text


def proof(engine: sa.Engine, delegate: str, batch_id: int | None = None) -> dict[str, Any]:
    """Everything that a delegate's payment follows from. batch_id: of which batch; None: of its last payment.

    Raises BadInput where it was not paid by that batch, or not yet.
    """
    with reading(engine) as conn:
        line, receipt = _paid(conn, delegate, batch_id)
        payday = paydays.of_batch(conn, line.batch_id)
        if payday is None:
            raise BadInput(f"batch #{line.batch_id} is of no payday", fix="see: run.py pool payouts")
        booked = book.of_delegate(conn, delegate)
        this = next(place for place, row in enumerate(booked) if row["payday_id"] == payday["id"])
        before = max((place for place, row in enumerate(booked[:this]) if row["payday_id"] is not None), default=-1)
        rewards = [_reward(conn, delegate, row) for row in booked[before + 1 : this] if row["block_id"] is not None]
        gross = -booked[this]["units"]
        counted = sum(-each["share_satoshi"] if each["undone"] else each["share_satoshi"] for each in rewards)
        return {
            "kind": KIND,
            "delegate": delegate,
            "payday": payday["due_at"].isoformat(),
            "fee_bps": payday["fee_bps"],
            "carried_in_satoshi": gross - counted,
            "rewards": rewards,
            "gross_satoshi": gross,
            "net_satoshi": line.amount,
            "receipt": {key: receipt[key] for key in ("body", "previous_hash", "hash")},
            "trusted": "the weight of all delegates at each block, that the coins were unspent just before it, and "
            "what was taken over from an older program",
        }


def write(engine: sa.Engine, delegate: str, path: Path, batch_id: int | None = None) -> dict[str, Any]:
    """Write the proof of a payment to a file. Raises BadInput where there is none, or it cannot be written."""
    made = proof(engine, delegate, batch_id)
    write_text(path, f"{canonical(made)}\n")
    return made


def _paid(conn: sa.Connection, delegate: str, batch_id: int | None) -> tuple[Any, dict[str, Any]]:
    """(line, receipt) of a payment."""
    for receipt in reversed(ledger.receipts(conn)):
        body = receipt["body"]
        if body["address"] == delegate and batch_id in (None, body["batch"]):
            line = next(line for line in batches.lines_of(conn, body["batch"]) if line.id == body["line"])
            return line, receipt
    which = "yet" if batch_id is None else f"by batch #{batch_id}"
    raise BadInput(f"{plain(delegate, 60)} was not paid {which}", fix="see: run.py pool payouts")


def _reward(conn: sa.Connection, delegate: str, row: dict[str, Any]) -> dict[str, Any]:
    """A reward that was booked, or booked out, with the coins by which it was shared."""
    reward = blocks.reward_of(conn, row["block_id"])
    assert reward is not None
    share = next(share for share in blocks.shares_of(conn, reward["id"]) if share["delegate"] == delegate)
    return {
        "height": row["height"],
        "undone": row["kind"] == Booking.UNDONE,
        "reward_satoshi": reward["reward"],
        "whole_weight_satoshi": reward["weight"],
        "weight_satoshi": share["weight"],
        "share_satoshi": share["units"],
        "least_coin_satoshi": reward["least_coin"],
        "maturity": reward["maturity"],
        "coins": [
            {"outpoint": coin.outpoint, "satoshi": coin.satoshi, "height": coin.height}
            for coin in blocks.coins_of(conn, share["coin_set"])
        ],
    }
