"""`run.py payout begin-after`: the owner's word on what was paid before this ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import LARGEST, Hotkey, Json, opened, screen
from menus.frame.layout import count
from menus.frame.ui import Back, Ui
from valtrac.core.errors import BadInput
from valtrac.core.text import plain


def begin_after(
    block: Annotated[
        int | None, typer.Argument(min=0, max=LARGEST, help="The last block that was paid for; 0: none.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", help="Take it from an old log of payments: its highest End Block.")
    ] = None,
    hotkey: Hotkey = None,
    words: Annotated[str, typer.Option("--words", help="How you know; kept for ever.")] = "",
    as_json: Json = False,
) -> None:
    """Say up to which block was paid before this ledger: payouts begin after it. A later word takes its place."""
    from valtrac.snapshots import rulings

    if (block is None) == (log is None):
        raise BadInput("say the block, or the log that tells it", fix="payout begin-after BLOCK, or --log FILE")
    ui, valtrac = screen(as_json), opened()
    if log is not None:
        block, log_words = of_log(ui, log)
        words = words or log_words
    assert block is not None
    rulings.begin_after(valtrac.engine, valtrac.hotkey(hotkey), block, words)
    if block:
        ui.done(f"Blocks up to {block} count as paid; payouts begin with block {block + 1}.")
    else:
        ui.done("Nothing was paid before this ledger; payouts begin with the first snapshot.")
    if as_json:
        ui.records({"paid_before": block})


def of_log(ui: Ui, path: Path) -> tuple[int, str]:
    """The block that an old log of payments was paid up to, said, and how it is known in words."""
    from valtrac.snapshots import paid_before

    old = paid_before.read_log(path)
    words = f"{plain(path.name, 100)} lists {count(old.payments, 'payment')}, the last up to block {old.last_block}"
    ui.say(words + ".")
    return old.last_block, words


def ask(ui: Ui) -> tuple[int, str]:
    """Have the owner say up to which block was paid, in one of three ways; the block, and how it is known in words."""
    from menus.frame import pick

    typed, logged, nothing = "I know the block", "Read it from an old log of payments", "Nothing was paid before"
    chosen = ui.choose("Up to which block was paid before this ledger?", [typed, logged, nothing])
    if chosen == typed:
        return pick.block(ui, "The last block that was paid for:", None), ""
    if chosen == logged:
        return of_log(ui, Path(ui.path("The file, like logs/payout_log.csv:")).expanduser())
    if chosen == nothing:
        return 0, "nothing was paid before"
    raise Back
