"""Where a payment of the contracts came from, down to the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from menus.frame.ui import Ui


def explained(ui: Ui, explanation: dict[str, Any]) -> None:
    """Where a payment came from and what became of it."""
    if ui.as_json:
        ui.records(explanation)
        return
    contract, request = explanation["contract"], explanation["request"]
    pairs: list[tuple[str, object]] = [
        ("payment", f"no. {explanation['no']}: {explanation['type']} {explanation['number'] or ''}".strip()),
        ("to", f"{explanation['to']} ({explanation['account']})"),
        ("amount", f"{explanation['amount']} BTS"),
        ("status", f"{explanation['state']}{': ' + explanation['words'] if explanation['words'] else ''}"),
        ("due", explanation["due_at"]),
        ("memo", explanation["memo"]),
    ]
    if contract:
        pairs.append(
            (
                "contract",
                f"#{contract['id']} of {contract['amount']} BTS for {contract['months']} months since "
                f"{contract['start_at']}, {contract['reward_bps'] / 100:g} % a month ({contract['key']})",
            )
        )
    if request:
        pairs.append(
            ("request", f"{request['key']}: {request['amount']} BTS, memo {request['memo']!r}, {request['kind']}")
        )
    for transaction in explanation["transactions"]:
        pairs.append(("transaction", _transaction_line(transaction)))
    if explanation["receipt"]:
        pairs.append(("receipt", explanation["receipt"]))
    ui.facts(pairs)


def _transaction_line(transaction: Mapping[str, Any]) -> str:
    block = f" in block {transaction['block']}" if transaction["block"] else ""
    return f"{transaction['tx']}: {transaction['state']}{block}"
