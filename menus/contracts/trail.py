"""The trail of audit events on the screen, with the transfers that they are about."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from menus.contracts import records
from menus.contracts.views import MINUTE
from menus.frame.ui import Ui
from valtrac.contracts.searching import Found
from valtrac.contracts.store.audit_events import Event

LONGEST_LINE, LONGEST_MEMO = 100, 60
ROUTINE = ("direction", "from", "to", "tx", "memo", "trx_idx", "ops_idx", "no")


def events(ui: Ui, rows: Sequence[Found]) -> None:
    """The trail, newest first."""
    if ui.as_json:
        ui.records([records.event(row.event, row.transfer) for row in rows])
        return
    ui.table(
        "Audit events, newest first",
        ["time (UTC)", "event", "client", "transfer", "memo", "particulars"],
        [
            [
                datetime.fromtimestamp(row.event.now / 1000, UTC).strftime(MINUTE),
                _kind(row.event),
                row.event.name,
                row.transfer.key if row.transfer else "",
                _memo(row),
                _said(row.event.msg),
            ]
            for row in rows
        ],
        optional=["client", "memo", "transfer"],
        empty="No event found.",
    )
    if rows:
        ui.hint("Whole operations, with encrypted memos, fees and transactions: --json")


def _memo(row: Found) -> str:
    """The words of the transfer, or of the payment, that the event is about."""
    memo = row.event.msg.get("memo") or (row.transfer.memo if row.transfer else "") or ""
    return memo if len(memo) <= LONGEST_MEMO else memo[: LONGEST_MEMO - 3] + "..."


def _kind(event: Event) -> str:
    """What happened; of a transfer also which way it went."""
    return (
        f"{event.kind} {str(event.msg['direction']).lower()}"
        if event.kind == "transfer" and "direction" in event.msg
        else event.kind
    )


def _said(msg: dict[str, Any]) -> str:
    """An event's particulars in one short line: first what is to be noticed; all of it is in --json."""
    first = [key for key in ("warn", "why", "amount", "type", "number", "contract", "months", "pays") if msg.get(key)]
    rest = [key for key in msg if key not in first and key not in ROUTINE and msg[key]]
    words = ", ".join(
        f"{key} {msg[key] if isinstance(msg[key], str | int) else json.dumps(msg[key])}" for key in (*first, *rest)
    )
    return words if len(words) <= LONGEST_LINE else words[: LONGEST_LINE - 3] + "..."
