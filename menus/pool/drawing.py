"""The charts of the pool: drawn on the screen, and written as pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.reports import pool as figures
from valtrac.wiring.pool import PoolApp

ROWS: Mapping[str, Callable[[sa.Engine], Sequence[Any]]] = {
    "pool-rewards": figures.by_day,
    "pool-weight": figures.over_time,
}


def draw(ui: Ui, own: PoolApp, name: str, out: Path | None = None, *, width_px: int | None = None) -> None:
    """Draw a chart on the screen and write it: to `out`, or as PNG and SVG under data/charts. Raises BadInput."""
    import charts
    from charts.drawing import paint

    chart = next((chart for chart in charts.found() if name == chart.NAME and name in ROWS), None)
    if chart is None:
        raise BadInput(f"the pool has no chart {plain(name, 40)!r}", fix="choose one", problems=list(ROWS))
    rows, folder = ROWS[name](own.engine), own.settings.data / "charts"
    figure = chart.draw(rows, unit="QTUM")
    places = [out] if out is not None else [folder / f"{name}.png", folder / f"{name}.svg"]
    for path in places:
        paint.save(figure, path, width_px=width_px)
    if ui.as_json:
        ui.records({"chart": name, "files": [str(path) for path in places]})
        return
    ui.drawing(chart.sketch(rows, unit="QTUM", width=ui.out.width))
    ui.done(f"Written: {' and '.join(str(path) for path in places)}")
