"""Charts and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import levels, pick
from menus.ui import Ui

if TYPE_CHECKING:
    from valtrac.app import App

TITLE = "Charts and statistics"
ORDER = 80


def run(app: App, ui: Ui) -> None:
    import charts
    from menus.commands.chart import draw

    levels.repeat(
        ui,
        "Which chart?",
        charts.found,
        lambda chart: draw(app, ui, chart, pick.hotkey(app, ui), None),
        label=lambda chart: chart.TITLE,
    )
