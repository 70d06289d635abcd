"""`run.py chart ...`: pictures of the record, as PNG and in the terminal."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

import charts
from charts import paint
from menus.commands.common import Hotkey, opened, screen
from menus.ui import Ui
from valtrac.app import App
from valtrac.errors import BadInput
from valtrac.services import statistics

Out = Annotated[Path | None, typer.Option("--out", help="Where the PNG goes.")]


def chart(
    name: Annotated[str, typer.Argument(help="stake-over-time")] = "stake-over-time",
    hotkey: Hotkey = None,
    netuid: Annotated[int, typer.Option("--netuid", min=0, max=65_535)] = 0,
    out: Out = None,
) -> None:
    """Draw a chart: a PNG file, and the terminal."""
    valtrac, ui = opened(), screen()
    chosen = next((found for found in charts.found() if name == found.NAME), None)
    if chosen is None:
        raise BadInput(
            f"there is no chart {name[:40]!r}", "", "choose one", problems=[found.NAME for found in charts.found()]
        )
    draw(valtrac, ui, chosen, valtrac.hotkey(hotkey), out, netuid=netuid)


def draw(valtrac: App, ui: Ui, chart_: ModuleType, hotkey: str, out: Path | None, *, netuid: int = 0) -> None:
    """One chart of one hotkey, as PNG and on the screen."""
    points = statistics.stake_over_time(valtrac.engine, hotkey, netuid)
    if not points:
        ui.say("There are no snapshots to draw yet. Start the record under Begin logging, or: run.py snapshot take")
        return
    unit = "TAO" if netuid == 0 else f"alpha of subnet {netuid}"
    path = paint.save(
        chart_.draw(points, unit=unit), out or valtrac.settings.data / "charts" / f"{chart_.NAME}-{netuid}.png"
    )
    ui.drawing(chart_.sketch(points, unit=unit, width=ui.out.width))
    ui.done(f"Written: {path}")
