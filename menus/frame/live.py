"""A table that is drawn anew while it is looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.live import Live
from rich.table import Table
from rich.text import Text

from menus.frame import layout
from menus.frame.tables import drawn_table
from menus.frame.ui import Ui
from valtrac.core.text import plain


@dataclass(frozen=True, slots=True)
class Picture:
    """What is seen at one moment. marks: the style of each row, "" for the usual one; optional: heads of columns that
    are left out where the terminal is narrow, the first to go last."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    marks: Sequence[str]
    optional: Sequence[str] = ()


def watch(ui: Ui, look: Callable[[], Picture], *, every_s: float, seconds: int = 0) -> None:
    """Draw what `look` returns again and again, until Ctrl-C or for so many seconds. Where nobody sits at a terminal,
    it is drawn once."""
    if not ui.out.is_terminal and not seconds:
        ui.out.print(_drawn(look(), ui.out.width))
        return
    until = time.monotonic() + seconds if seconds else None
    try:
        with Live(_drawn(look(), ui.out.width), refresh_per_second=2, console=ui.out) as live:
            while until is None or time.monotonic() < until:
                time.sleep(every_s)
                live.update(_drawn(look(), ui.out.width))
    except KeyboardInterrupt:
        ui.hint("Left; what runs in the background goes on.")


def _drawn(picture: Picture, width: int) -> Table:
    heads = [layout.column(head) for head in picture.heads]
    rows = [[plain(cell, 40) for cell in row] for row in picture.rows]
    shown = layout.fitted(heads, rows, width, optional=picture.optional, wide=cell_len).places
    table = drawn_table([heads[place] for place in shown], [], [])
    table.title, table.title_justify, table.caption = Text(plain(picture.title, 200)), "left", "Ctrl-C leaves."
    for row, mark in zip(rows, picture.marks, strict=True):
        table.add_row(*(Text(row[place]) for place in shown), style=mark or None)
    return table
