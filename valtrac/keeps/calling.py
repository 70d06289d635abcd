"""Calls that redeem nothing, made a batch and sent by the door."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.hashing import hash_of
from valtrac.database.engine import writing
from valtrac.keeps.carrying_out import line_of, record
from valtrac.keeps.model.lines import Call
from valtrac.keeps.producer import NAME
from valtrac.keeps.watching import Watching
from valtrac.payments import side_by_side, standing_batches
from valtrac.payments.model.batches import BatchLine
from valtrac.payments.reconcile import Finding
from valtrac.payments.store import attempts
from valtrac.ports import ReplacingPayer


def send_calls(
    watching: Watching,
    payer: ReplacingPayer,
    calls: Sequence[Call],
    head: Head,
    *,
    why: str,
    deposits: Sequence[str] = (),
    begin: Callable[[sa.Connection, list[BatchLine]], object] = lambda conn, lines: None,
) -> list[Finding]:
    """Send calls once each, in their order. Raises Refused, OutcomeUnknown.

    why: for the audit log. deposits: whose tokens are handed in by them. begin: writes down what they begin, in the
    transaction of their batch.
    """
    written = [[call.to, call.text] for call in calls]
    plan = {
        "redemptions": [],
        "script": "",
        "calls": written,
        "reasons": {call.text: why for call in calls},
        "handed_in": [str(int(deposit, 16)) for deposit in deposits],
    }
    with writing(watching.engine) as conn:
        attempts.lock_wallet(conn, watching.wallet)
        lines = standing_batches.approved(
            conn,
            producer=NAME,
            wallet=watching.wallet,
            fee=0,
            lines=[line_of(call) for call in calls],
            spec={"block": head.number, "hash": head.hash},
            plan=plan,
            inputs_hash=hash_of(written),
            cause=why,
        )
        begin(conn, lines)
    ended = side_by_side.send(watching.door(), payer, lines[0].batch_id)
    record(watching)
    return ended
