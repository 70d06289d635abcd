"""`run.py import ...`: all that another program left, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.coming_over import views
from menus.frame.commands import Json, Yes, agree, opened, screen
from menus.frame.grouping import group
from valtrac.core.errors import Exit

app = group("Coming over from another program with all of its files.")
Zone = Annotated[str, typer.Option("--zone", help="What the old machine's clock showed: UTC, Europe/Berlin, ...")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken; change nothing.")]


@app.callback()
def _group() -> None:
    pass


@app.command()
def valtrac(folder: Path, dry_run: Dry = False, zone: Zone = "UTC", yes: Yes = False, as_json: Json = False) -> int:
    """Bring an old ValTrac over from its FOLDER: users, referrals, log of stakes, log of payouts.

    Says first what it would take, change and refuse, row by row, then asks. Doing it again changes nothing.
    """
    ui, here = screen(as_json), opened()
    try:
        found = views.bring_over(ui, here, folder, zone, dry=dry_run, agreed=lambda: agree(ui, yes, "Bring this over?"))
    finally:
        here.close()
    return int(Exit.DONE if found else Exit.REFUSED)
