"""Writing down what happens to a transfer, with the fields that StakeBTS's receipts had."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from valtrac.contracts.custodian import CORE_ASSET
from valtrac.contracts.model.contracts import milliseconds
from valtrac.contracts.store import audit_events
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.money import BTS, decimal_text


def note(conn: sa.Connection, transfer: RecordedTransfer, event: str, /, **more: Any) -> None:
    """An event about a transfer; what is None is left out."""
    came_in = transfer.direction == "in"
    amount = f"{transfer.units} units of {transfer.asset_id}"
    if transfer.asset_id == CORE_ASSET:
        amount = decimal_text(transfer.units, BTS.decimals)
    msg = {
        "direction": "IN" if came_in else "OUT",
        "from": transfer.name if came_in else "custodian",
        "to": "custodian" if came_in else transfer.name,
        "amount": amount,
        "block_num": transfer.block,
        "trx_idx": transfer.trx,
        "ops_idx": transfer.op,
        **{key: value for key, value in more.items() if value is not None},
    }
    audit_events.add(conn, event, msg, nonce=milliseconds(transfer.at), name=transfer.name)
