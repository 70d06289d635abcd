"""Which rows each chart is drawn from, and drawing it: as a picture in two forms, and in the terminal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import charts
from charts.drawing import paint
from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.reports import statistics
from valtrac.reports.model import history as hist
from valtrac.reports.model import measures, rates, referral_figures
from valtrac.reports.model.record import Record
from valtrac.wiring.payouts import App

ABOUT_A_USER = ("user-apr", "user-balance")
Rows = tuple[Any, dict[str, Any]]


def _of_user(make: Callable[[Record, str], Any], **more: str) -> Callable[[App, Record, str], Rows]:
    return lambda app, record, who: (
        make(record, who),
        {"who": who} | ({"currency": record.currency} if "currency" in more else {}),
    )


# chart -> (rows, what else it takes); a chart computes nothing, so all of it is here
ROWS: Mapping[str, Callable[[App, Record, str], Rows]] = {
    "stake-over-time": lambda app, record, who: (measures.totals(record), {}),
    "global-apr": lambda app, record, who: (rates.rates(record), {}),
    "user-apr": _of_user(rates.rates_of),
    "user-balance": _of_user(measures.balances, currency=""),
    "stake-by-nominator": lambda app, record, who: (measures.stack(record), {}),
    "pool-and-payouts": lambda app, record, who: (measures.pool(record), {"payouts": measures.payouts(record)}),
    "shares": lambda app, record, who: (referral_figures.share_rows(record, statistics.shares(record)), {}),
    "referral-tree": lambda app, record, who: (referral_figures.tree(record, statistics.shares(record)), {}),
    "joiners-and-leavers": lambda app, record, who: (hist.movements(record.history), {}),
    "payout-sizes": lambda app, record, who: (measures.sizes(record), {}),
    "coverage": lambda app, record, who: (hist.coverage(record.history.at, record.interval_s), {}),
    "held-balances": lambda app, record, who: (statistics.held_balances(app.engine), {}),
}
MOST_LETTERS = 40
IN_TAO = ("pool-and-payouts", "payout-sizes", "held-balances")


def known() -> list[ModuleType]:
    """The charts that can be drawn from the record, in their order."""
    return [chart for chart in charts.found() if chart.NAME in ROWS]


def chart_of(name: str) -> ModuleType:
    """A chart by its name. Raises BadInput, listing those there are."""
    match = next((chart for chart in known() if name == chart.NAME), None)
    if match is None:
        raise BadInput(
            f"there is no chart {plain(name, 40)!r}", fix="choose one", problems=[chart.NAME for chart in known()]
        )
    return match


def drawn(app: App, record: Record, chart: ModuleType, who: str | None) -> tuple[Any, Callable[[int], str]]:
    """A chart's figure, and what draws it in a terminal of some width. Raises BadInput where a user has to be named."""
    if chart.NAME in ABOUT_A_USER and not who:
        raise BadInput(f"{chart.TITLE}: of whom?", fix="name one: --user NAME")
    rows, more = ROWS[chart.NAME](app, record, who or "")
    unit = "snapshots" if chart.NAME == "coverage" else "TAO" if chart.NAME in IN_TAO else record.unit
    return chart.draw(rows, unit=unit, **more), lambda width: chart.sketch(rows, unit=unit, width=width, **more)


def show(
    ui: Ui, app: App, record: Record, chart: ModuleType, who: str | None, out: Path | None, *, width_px: int | None
) -> None:
    """Draw a chart on the screen and write it: to `out`, or as PNG and SVG under data/charts."""
    figure, sketch = drawn(app, record, chart, who)
    folder = app.settings.data / "charts"
    name = chart.NAME + (f"-{safe_name(who)}" if who and chart.NAME in ABOUT_A_USER else "")
    places = [out] if out is not None else [folder / f"{name}.png", folder / f"{name}.svg"]
    for path in places:
        paint.save(figure, path, width_px=width_px)
    ui.drawing(sketch(ui.out.width))
    ui.done(f"Written: {' and '.join(str(path) for path in places)}")
    tell_boxes(ui, figure, *places)


def tell_boxes(ui: Ui, figure: Any, *places: Path) -> None:
    """Say which letters of a picture are boxes, because no font of this machine has them."""
    if any(path.suffix.lower() == ".png" for path in places) and (letters := paint.lacking(figure)):
        ui.warn(
            f"No font of this machine has the letters {letters[:MOST_LETTERS]}: they are boxes in the PNG. Install one "
            "that has them, such as Noto Sans CJK, or draw an .svg."
        )


def safe_name(name: str) -> str:
    """A part of a file's name that no system trips over; another one for every name, whatever letters it has."""
    safe = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)[:40].strip("-")
    return safe if safe == name else f"{safe or 'user'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
