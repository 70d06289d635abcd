"""`run.py verify FILE`: whether a proof follows."""

from __future__ import annotations

from pathlib import Path

from menus.frame.commands import Json, screen
from menus.pool.proof import of_pool, verify_pool
from valtrac.core.errors import Exit
from valtrac.core.money import decimal_text
from valtrac.payouts.model import verify_proof


def verify(file: Path, as_json: Json = False) -> int:
    """Check a proof of payment. Needs no database and no node."""
    from valtrac.payouts import proofs

    ui = screen(as_json)
    if of_pool(file):
        return verify_pool(ui, file)
    loaded, problems = proofs.verify(file)
    if as_json:
        ui.records({"good": not problems, "problems": problems})
    for problem in problems:
        ui.warn(problem)
    if not problems:
        ui.done(
            f"Good: {loaded['user']} was due {decimal_text(int(loaded['amount_rao']))} TAO in batch {loaded['batch']}."
        )
        ui.hint(f"{verify_proof.to_look_up(loaded)}.")
    return int(Exit.BAD_INPUT if problems else Exit.DONE)
