"""Tables as rich draws them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from menus.frame import layout

ACCENT, GOOD, BAD, DIM = "cyan", "green", "red", "dim"


def drawn_table(
    heads: Sequence[layout.Column],
    rows: Sequence[Sequence[str]],
    footer: Sequence[str],
    styles: Sequence[str] = (),
) -> Table:
    """A table with its columns aligned, units under their names, and a last row of sums where there is one. styles: of
    each row, none for the usual one."""
    drawn = Table(
        show_footer=bool(footer),
        box=SIMPLE_HEAD,
        show_edge=False,
        header_style="bold",
        footer_style="bold",
        border_style=DIM,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    for place, head in enumerate(heads):
        drawn.add_column(
            Text(head.name) + (Text(f"\n{head.unit}", style="not bold dim") if head.unit else Text("")),
            justify="right" if head.right else "left",
            overflow="fold",
            no_wrap=not head.prose,
            footer=Text(footer[place]) if footer else "",
            vertical="top",
        )
    for place, row in enumerate(rows):
        drawn.add_row(*map(Text, row), style=styles[place] or None if styles else None)
    return drawn


def print_cards(out: Console, heads: Sequence[layout.Column], rows: Sequence[Sequence[str]]) -> None:
    """Each row as a few lines: for a terminal too narrow for the table."""
    for row in rows:
        out.print(Text(row[0], style="bold"))
        for head, cell in list(zip(heads, row, strict=True))[1:]:
            if cell:
                name = Text(f"  {head.name}{': ' if head.name else ''}", style=DIM)
                out.print(name + Text(cell + (f" {head.unit}" if head.unit else ""), style=""))
