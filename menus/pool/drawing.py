"""The charts of the pool: drawn on the screen, and written as pictures."""

from __future__ import annotations

from pathlib import Path

import charts
from menus.frame import pictures
from menus.frame.ui import Ui
from menus.frame.values import plain_values
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.reports.pool import Figures
from valtrac.wiring.pool import PoolApp


def names() -> list[str]:
    """The charts of the pool, in their order."""
    return [chart.NAME for chart in charts.found(charts.POOL)]


def draw(ui: Ui, own: PoolApp, name: str, out: Path | None = None, *, width_px: int | None = None) -> None:
    """Draw a chart on the screen and write it: to `out`, or as PNG and SVG under data/charts. Raises BadInput."""
    chart = next((chart for chart in charts.found(charts.POOL) if name == chart.NAME), None)
    if chart is None:
        raise BadInput(f"the pool has no chart {plain(name, 40)!r}", fix="choose one", problems=names())
    rows, more = chart.rows(Figures(own.engine))

    def sketch(width: int) -> str:
        return str(chart.sketch(rows, unit=chart.UNIT, width=width, **more))

    figure, folder = chart.draw(rows, unit=chart.UNIT, **more), own.settings.data / "charts"
    pictures.show(ui, figure, sketch, name, folder, out, width_px=width_px, rows=plain_values(rows, text=True))
