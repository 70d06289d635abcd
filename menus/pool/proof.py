"""Statements and proofs for delegates, and checking such a proof."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.core.errors import BadInput, Exit
from valtrac.core.money import decimal_text, qtum
from valtrac.core.text import plain
from valtrac.pool import overview, proofs
from valtrac.pool.model.verify_proof import KIND, problems
from valtrac.tables import write
from valtrac.wiring.pool import PoolApp

COLUMNS = ("at", "what", "block", "payday", "qtum", "fee_qtum", "net_qtum", "transaction", "words")
FORMATS = ("html", *write.FORMATS)
NOTES = (
    "Shares are by the coins that could have staked each block. For every payment there is a proof: ask for it.",
    "Nothing on this page is loaded from anywhere else.",
)
LARGEST_BYTES = 64 * 1024 * 1024


def write_statement(ui: Ui, own: PoolApp, delegate: str, out: Path) -> None:
    """Everything that was booked and paid for a delegate: a page by day where the name ends in .html, else a table of
    all bookings in order."""
    ending = out.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise BadInput(f"{plain(out.name, 80)} is no form of a statement", fix=f"let it end in .{', .'.join(FORMATS)}")
    if ending == "html":
        from charts.drawing import pool_page
        from valtrac.reports.pool import statement

        made = statement(own.engine, delegate)
        write.write_text(out, pool_page.statement(made, NOTES))
        _tell_statement(ui, out, count(len(made.payments), "payment"), made.owed)
        return
    booked = overview.history(own.pool, delegate)
    rows = [
        (
            row.at.isoformat(timespec="seconds"),
            row.kind,
            row.block,
            row.payday.isoformat(timespec="minutes") if row.payday else None,
            _qtum(row.units),
            _qtum(row.fee),
            _qtum(row.net),
            row.tx_id or None,
            row.words,
        )
        for row in booked
    ]
    write.table(out, COLUMNS, rows)
    _tell_statement(ui, out, count(len(rows), "booking"), sum(row.units for row in booked))


def _tell_statement(ui: Ui, out: Path, holds: str, owed: int) -> None:
    if ui.as_json:
        ui.records({"file": str(out), "holds": holds, "owed_qtum": decimal_text(owed, 8)})
        return
    ui.done(f"{holds} written to {plain(out)}; {qtum(owed)} are owed.")


def _qtum(satoshi: int | None) -> Decimal | None:
    return None if satoshi is None else Decimal(satoshi).scaleb(-8)


def write_proof(ui: Ui, own: PoolApp, delegate: str, out: Path, batch: int | None) -> None:
    """The proof of one payment."""
    overview.history(own.pool, delegate)  # who was never credited is told that, and what is no address too
    made = proofs.write(own.pool.engine, delegate, out, batch)
    if ui.as_json:
        net = decimal_text(made["net_satoshi"], 8)
        ui.records({"file": str(out), "delegate": delegate, "rewards": len(made["rewards"]), "net_qtum": net})
        return
    ui.done(f"{count(len(made['rewards']), 'reward')} behind {qtum(made['net_satoshi'])}: {plain(out)}")
    ui.hint(f"Whoever doubts it: run.py verify {plain(out)}")


def of_pool(file: Path) -> bool:
    """Whether a file is the proof of a pool's payment."""
    try:
        return file.stat().st_size <= LARGEST_BYTES and _loaded(file).get("kind") == KIND
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def verify_pool(ui: Ui, file: Path) -> int:
    """Check the proof of a pool's payment; the exit code. Raises BadInput where it lacks something."""
    loaded = _loaded(file)
    try:
        wrong = [plain(words, 300) for words in problems(loaded)]
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError) as error:
        raise BadInput(
            f"{plain(file.name)} is not a proof", why=plain(error), fix="make it: run.py pool proof"
        ) from error
    if ui.as_json:
        ui.records({"good": not wrong, "problems": wrong})
    for words in wrong:
        ui.warn(words)
    if not wrong:
        ui.done(f"Good: {plain(loaded['delegate'], 60)} was due {qtum(int(loaded['net_satoshi']))}.")
        ui.hint(f"Taken on trust: {plain(loaded['trusted'], 300)}.")
    return int(Exit.BAD_INPUT if wrong else Exit.DONE)


def _loaded(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded
