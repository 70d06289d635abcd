"""`run.py payout begin-after`: the owner's word on what was paid before this ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame.commands import LARGEST, Hotkey, Json, opened, screen


def begin_after(
    block: Annotated[int, typer.Argument(min=0, max=LARGEST, help="The last block that was paid for; 0: none.")],
    hotkey: Hotkey = None,
    words: Annotated[str, typer.Option("--words", help="How you know; kept for ever.")] = "",
    as_json: Json = False,
) -> None:
    """Say up to which block was paid before this ledger: payouts begin after it. A later word takes its place."""
    from valtrac.snapshots import rulings

    ui, valtrac = screen(as_json), opened()
    rulings.begin_after(valtrac.engine, valtrac.hotkey(hotkey), block, words)
    if block:
        ui.done(f"Blocks up to {block} count as paid; payouts begin with block {block + 1}.")
    else:
        ui.done("Nothing was paid before this ledger; payouts begin with the first snapshot.")
    if as_json:
        ui.records({"paid_before": block})
