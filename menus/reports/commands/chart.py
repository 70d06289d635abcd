"""`run.py chart NAME`: pictures of the record, as PNG and SVG, and in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import Hotkey, Json, opened, screen
from menus.reports import drawing
from menus.reports.options import From, Netuid, Preset, To, Who, record_of
from valtrac.reports import statistics

Out = Annotated[Path | None, typer.Option("--out", help="Where it goes: .png or .svg.")]
Width = Annotated[int | None, typer.Option("--width", min=300, max=10_000, help="Of the PNG, in pixels: 3840 for 4K.")]


def chart(
    name: Annotated[str, typer.Argument(help=", ".join(drawing.names()))] = "stake-over-time",
    user: Who = None,
    hotkey: Hotkey = None,
    netuid: Netuid = None,
    from_: From = None,
    to: To = None,
    range_: Preset = "all",
    out: Out = None,
    width: Width = None,
    as_json: Json = False,
) -> None:
    """Draw a chart of a range: picture files, and the terminal."""
    valtrac, ui = opened(), screen(as_json)
    try:
        chosen = drawing.chart_of(name)
        who = None if user is None else statistics.user(valtrac.engine, user)
        record = record_of(valtrac, hotkey, netuid, from_, to, range_)
        drawing.show(ui, valtrac, record, chosen, who, out, width_px=width)
    finally:
        valtrac.close()
