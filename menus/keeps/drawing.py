"""The chart of keeps: drawn on the screen, and written as pictures."""

from __future__ import annotations

from pathlib import Path

import charts
from menus.frame import pictures
from menus.frame.ui import Ui
from menus.frame.values import plain_values
from valtrac.reports.keeps import Figures
from valtrac.wiring.keeps import KeepsApp


def draw(ui: Ui, own: KeepsApp, out: Path | None = None, *, width_px: int | None = None) -> None:
    """Draw it on the screen and write it: to `out`, or as PNG and SVG under data/charts. Raises BadInput."""
    (chart,) = charts.found(charts.KEEPS)
    settings = own.watching.settings
    rows, more = chart.rows(Figures(own.engine, settings.keeps_operators, settings.keeps_threshold))

    def sketch(width: int) -> str:
        return str(chart.sketch(rows, unit=chart.UNIT, width=width, **more))

    figure, folder = chart.draw(rows, unit=chart.UNIT, **more), settings.data / "charts"
    pictures.show(ui, figure, sketch, chart.NAME, folder, out, width_px=width_px, rows=plain_values(rows, text=True))
