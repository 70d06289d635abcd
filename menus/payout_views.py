"""Batches on the screen and as records: one form for menus and commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from menus.ui import Ui
from valtrac.app import App
from valtrac.domain.addresses import shortened
from valtrac.domain.batches import Batch
from valtrac.domain.money import decimal_text, rao
from valtrac.errors import Exit
from valtrac.services import payouts
from valtrac.store import attempts as stored_attempts
from valtrac.store import batches as stored
from valtrac.store.engine import reading


def door(valtrac: App, *, tell: Callable[[str], None]) -> payouts.Door:
    """The payment door of this app."""
    embedded = valtrac.settings.network == "devnet"
    return payouts.Door(
        engine=valtrac.engine,
        chain=valtrac.chain,
        settings=valtrac.settings,
        witnesses=valtrac.witnesses,
        log=valtrac.settings.logs / "payout_log.csv",
        tell=tell,
        poll_s=0.2 if embedded else 3.0,
        patience_s=30.0 if embedded else 1800.0,
    )


def record(found: Batch) -> dict[str, Any]:
    """A plan for a program: amounts as decimal strings of TAO."""
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


def batch(ui: Ui, engine: sa.Engine, found: Batch) -> None:
    """A batch with its payments, what is kept back and why, and its transactions."""
    with reading(engine) as conn:
        lines = stored.lines_of(conn, found.id)
        tried = stored_attempts.of_batch(conn, found.id)
        failed = stored_attempts.failures(conn, found.id)
    if ui.as_json:
        sent = [
            {
                "tx_id": a.tx_id,
                "state": a.state,
                "amount": decimal_text(a.units),
                "block": a.block,
                "fee": None if a.fee is None else decimal_text(a.fee),
                "error": a.error,
            }
            for a in tried
        ]
        ui.records({**record(found), "line_states": {line.name: line.state for line in lines}, "transactions": sent})
        return
    ui.title(
        f"Batch #{found.id}: {found.state}",
        f"blocks {found.from_block} to {found.to_block}, netuid {found.netuid}, "
        f"{found.spec['method']}, by {found.spec['by']}",
    )
    states = found.state != "draft"
    ui.table(
        "Payments",
        [
            "who",
            "to",
            "from pool (TAO)",
            "released (TAO)",
            "fee share (TAO)",
            "amount (TAO)",
            *(["state"] if states else []),
        ],
        [
            [
                line.name,
                shortened(line.address),
                decimal_text(line.from_pool),
                decimal_text(line.released),
                decimal_text(line.fee_share),
                decimal_text(line.amount),
                *(
                    [line.state + (f": {failed[line.id][1]}" if line.id in failed and line.state == "owed" else "")]
                    if states
                    else []
                ),
            ]
            for line in lines
        ],
        footer=["total", "", "", "", "", decimal_text(found.total), *([""] if states else [])],
        empty="Nobody is paid by this batch.",
    )
    for word in ("held", "excluded"):
        if found.plan[word]:
            ui.table(
                {"held": "Held: owed, paid later", "excluded": "Excluded: stays in the wallet"}[word],
                ["who", "amount (TAO)", "reason"],
                [[kept["user"], decimal_text(kept["amount"]), kept["reason"]] for kept in found.plan[word]],
            )
    ui.say(
        f"pool {rao(found.pool)} | paid out {rao(found.total)} | network fee {rao(found.fee)} (borne by {found.fee_policy}) | "
        f"nobody's {rao(found.unassigned)}"
    )
    for note in found.plan["notes"]:
        ui.warn(note)
    if tried:
        ui.table(
            "Transactions",
            ["id", "payments (TAO)", "state", "block", "fee (TAO)"],
            [
                [
                    a.tx_id,
                    decimal_text(a.units),
                    a.state + (f": {a.error}" if a.error else ""),
                    a.block or "",
                    "" if a.fee is None else decimal_text(a.fee),
                ]
                for a in tried
            ],
        )


def batches(ui: Ui, engine: sa.Engine, *states: str) -> list[Batch]:
    """All batches, or those in some states, as a table or as JSON; returns them."""
    with reading(engine) as conn:
        found = stored.listed(conn, states)
    if ui.as_json:
        ui.records([summary(one) for one in found])
    else:
        ui.table(
            "Batches, the newest first",
            ["batch", "state", "blocks", "netuid", "pool (TAO)", "total (TAO)", "payees", "made at UTC"],
            [
                [
                    f"#{one.id}",
                    one.state,
                    f"{one.from_block}-{one.to_block}",
                    one.netuid,
                    decimal_text(one.pool),
                    decimal_text(one.total),
                    len(one.plan["lines"]),
                    f"{one.created_at:%Y-%m-%d %H:%M}",
                ]
                for one in found
            ],
            empty="No batches yet. Make one: run.py payout plan --pool AMOUNT, or the menu Send payout.",
        )
    return found


def after_sending(ui: Ui, engine: sa.Engine, found: Batch) -> int:
    """Show what became of a batch; the exit code is 3 while something of it is still owed."""
    batch(ui, engine, found)
    if found.state == "settled":
        ui.done(
            f"Batch #{found.id} is settled: {rao(found.total)} to {len(found.plan['lines'])} payees, each exactly once."
        )
        return int(Exit.DONE)
    ui.warn(f"Something of batch #{found.id} is still owed. Go on: run.py payout resume {found.id} --retry-failed")
    return int(Exit.REFUSED)


def _kept(kept: dict[str, Any]) -> dict[str, str]:
    return {"user": kept["user"], "amount": decimal_text(kept["amount"]), "reason": kept["reason"]}
