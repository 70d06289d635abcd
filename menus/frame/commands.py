"""What every command shares: the app, the screen, and how options are written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from menus.frame.ui import Ui
from valtrac import settings
from valtrac.core.errors import BadInput
from valtrac.core.money import parse_units
from valtrac.wiring.payouts import App

Json = Annotated[bool, typer.Option("--json", help="Records as JSON on stdout, problems as JSON on stderr.")]
Hotkey = Annotated[str | None, typer.Option("--hotkey", help="The validator's hotkey; needed when several are set.")]
LARGEST = 2**53  # no chain has a block, and no ledger a batch, beyond it
FromBlock = Annotated[
    int | None, typer.Option("--from-block", min=0, max=LARGEST, help="The first block from which this holds.")
]
Number = Annotated[int, typer.Argument(min=1, max=LARGEST, help="The number of the batch.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the table to this file: .csv, .xlsx, .parquet, .json.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def opened() -> App:
    """The app of this command. Raises BadInput on bad settings."""
    return App(loaded())


def loaded() -> settings.Settings:
    """The settings of this command; what is weak about them is said where people read. Raises BadInput."""
    loaded_settings = settings.load()
    if "--json" not in sys.argv:
        for words in loaded_settings.warnings:
            Ui().warn(words)
    return loaded_settings


def screen(as_json: bool = False) -> Ui:
    """The screen of this command."""
    return Ui(as_json=as_json)


def agree(ui: Ui, yes: bool, question: str) -> bool:
    """Whether to go on: told so, or asked."""
    return yes or ui.confirm(question)


def from_stdin(wanted: bool) -> str | None:
    """A password piped in. Raises BadInput where there is none."""
    if not wanted:
        return None
    typed = sys.stdin.readline().rstrip("\n")
    if not typed:
        raise BadInput("no password on stdin", fix="pipe one line into it")
    return typed


def units(text: str | None, field: str) -> int | None:
    """An optional amount of TAO as rao. Raises BadInput naming the field."""
    return None if text is None else parse_units(text, field=field)
