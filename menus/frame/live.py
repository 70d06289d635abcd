"""A table that is drawn anew while it is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.live import Live
from rich.table import Table
from rich.text import Text

from menus.frame.ui import Ui
from valtrac.core.text import plain


@dataclass(frozen=True, slots=True)
class Picture:
    """What is seen at one moment. marks: the style of each row, "" for the usual one."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    marks: Sequence[str]


def watch(ui: Ui, look: Callable[[], Picture], *, every_s: float, seconds: int = 0) -> None:
    """Draw what `look` returns again and again, until Ctrl-C or for so many seconds. Where nobody sits at a terminal,
    it is drawn once."""
    if not ui.out.is_terminal and not seconds:
        ui.out.print(_drawn(look()))
        return
    until = time.monotonic() + seconds if seconds else None
    try:
        with Live(_drawn(look()), refresh_per_second=2, console=ui.out) as live:
            while until is None or time.monotonic() < until:
                time.sleep(every_s)
                live.update(_drawn(look()))
    except KeyboardInterrupt:
        ui.hint("Left; what runs in the background goes on.")


def _drawn(picture: Picture) -> Table:
    table = Table(title=Text(plain(picture.title, 200)), title_justify="left", caption="Ctrl-C leaves.")
    for head in picture.heads:
        table.add_column(plain(head), no_wrap=True)
    for row, mark in zip(picture.rows, picture.marks, strict=True):
        table.add_row(*(Text(plain(cell, 40)) for cell in row), style=mark or None)
    return table
