"""Drawing the charts of the record: as pictures in two forms, and in the terminal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import charts
from menus.frame import pictures
from menus.frame.ui import Ui
from menus.frame.values import plain_values
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.reports.model.record import Record
from valtrac.reports.statistics import Figures
from valtrac.wiring.payouts import App


def known() -> list[ModuleType]:
    """The charts that can be drawn from the record, in their order."""
    return charts.found(charts.PAYOUTS)


def names() -> list[str]:
    """What they are called."""
    return [chart.NAME for chart in known()]


def of_a_user(chart: ModuleType) -> bool:
    """Whether a chart is of one user, who has to be named."""
    return bool(getattr(chart, "OF_A_USER", False))


def chart_of(name: str) -> ModuleType:
    """A chart by its name. Raises BadInput, listing those there are."""
    match = next((chart for chart in known() if name == chart.NAME), None)
    if match is None:
        raise BadInput(f"there is no chart {plain(name, 40)!r}", fix="choose one", problems=names())
    return match


def drawn(app: App, record: Record, chart: ModuleType, who: str | None) -> tuple[Any, Callable[[int], str]]:
    """A chart's figure, and what draws it in a terminal of some width. Raises BadInput where a user has to be named."""
    if of_a_user(chart) and not who:
        raise BadInput(f"{chart.TITLE}: of whom?", fix="name one: --user NAME")
    rows, more = chart.rows(Figures(app.engine, record, who or ""))
    unit = getattr(chart, "UNIT", record.unit)
    return chart.draw(rows, unit=unit, **more), lambda width: chart.sketch(rows, unit=unit, width=width, **more)


def show(
    ui: Ui, app: App, record: Record, chart: ModuleType, who: str | None, out: Path | None, *, width_px: int | None
) -> None:
    """Draw a chart on the screen and write it: to `out`, or as PNG and SVG under data/charts."""
    figure, sketch = drawn(app, record, chart, who)
    rows = plain_values(chart.rows(Figures(app.engine, record, who or ""))[0]) if ui.as_json else None
    name = chart.NAME + (f"-{safe_name(who)}" if who and of_a_user(chart) else "")
    pictures.show(ui, figure, sketch, name, app.settings.data / "charts", out, width_px=width_px, rows=rows)


def safe_name(name: str) -> str:
    """A part of a file's name that no system trips over; another one for every name, whatever letters it has."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)[:40].strip("-")
    return safe if safe == name else f"{safe or 'user'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
