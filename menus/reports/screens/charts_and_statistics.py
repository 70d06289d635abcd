"""Charts and statistics: figures, pictures, statements, and what other rules would have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame import levels, pick
from menus.frame.ui import Back, Ui
from valtrac.core.money import short_text

if TYPE_CHECKING:
    from types import ModuleType

    from valtrac.reports.model.record import Record
    from valtrac.wiring.payouts import App

Asked = dict[str, str | None]  # the options of a command that name a range
TITLE = "Charts and statistics"
ORDER = 80
FIGURES, CHARTS, STATEMENT, ALL, WHAT_IF, MEANING = (
    "Figures",
    "Charts",
    "A statement for one user",
    "Statements for everyone",
    "What if the rules were others?",
    "? What the figures mean",
)
TAKE, RATE, ALONE, METHOD, MINIMUM = (
    "Another take",
    "Another rate of a referrer",
    "A user without a referrer",
    "Another method",
    "Another minimum",
)
UNDER = dict.fromkeys((TAKE, RATE, ALONE, METHOD, MINIMUM), WHAT_IF)
OF_USER = ("user",)
# format of a statement -> what it is for its reader
KINDS = {
    "html": "A page",
    "csv": "CSV, for tax tools",
    "xlsx": "A spreadsheet (.xlsx)",
    "parquet": "Parquet",
    "json": "JSON",
}


def further() -> list[tuple[str, str]]:
    """The charts and the figures, each by what it is called in its list."""
    from menus.reports import drawing, views

    return [(CHARTS, chart.TITLE) for chart in drawing.known()] + [(FIGURES, _spelt(name)) for name in views.VIEWS]


def run(app: App, ui: Ui) -> None:
    levels.repeat(
        ui,
        "What would you like to see?",
        lambda: [FIGURES, CHARTS, STATEMENT, ALL, WHAT_IF, MEANING],
        lambda chosen: _act(app, ui, chosen),
    )


def _act(app: App, ui: Ui, chosen: str) -> None:
    if chosen == MEANING:
        from menus import same
        from menus.reports import views

        views.glossary(ui)
        same.tell(ui, "stats", name="glossary")
    elif chosen in (STATEMENT, ALL):
        _statement(app, ui, every=chosen == ALL)
    else:
        record, asked = _record(app, ui)
        if chosen == FIGURES:
            _figures(app, ui, record, asked)
        elif chosen == CHARTS:
            _charts(app, ui, record, asked)
        else:
            _what_if(app, ui, record, asked)


def _figures(app: App, ui: Ui, record: Record, asked: Asked) -> None:
    from menus import same
    from menus.reports import views

    def show(name: str) -> None:
        who = _user(app, ui) if name in OF_USER else None
        views.VIEWS[name](ui, app, record, who)
        same.tell(ui, "stats", name=name, user=who, **asked)

    levels.repeat(ui, "Which figures?", lambda: list(views.VIEWS), show, label=_spelt)


def _charts(app: App, ui: Ui, record: Record, asked: Asked) -> None:
    from menus import same
    from menus.reports import drawing

    def show(chart: ModuleType) -> None:
        who = _user(app, ui) if drawing.of_a_user(chart) else None
        drawing.show(ui, app, record, chart, who, None, width_px=None)
        same.tell(ui, "chart", name=chart.NAME, user=who, **asked)

    levels.repeat(ui, "Which chart?", drawing.known, show, label=lambda chart: chart.TITLE)


def _what_if(app: App, ui: Ui, record: Record, asked: Asked) -> None:
    from menus import same
    from menus.reports import what_if_views
    from valtrac.reports.model.what_if import Change, replayed
    from valtrac.snapshots.model.stakes import METHODS

    def act(chosen: str) -> None:
        if chosen == TAKE:
            bps = pick.rate(ui, "The take, like 0.18 or 18% (empty to go back):")
            change, option = Change(take=bps / 10_000), {"take": pick.typed(bps)}
        elif chosen == RATE:
            who = _user(app, ui)
            bps = pick.rate(ui, f"What {who} would take, like 25% (empty to go back):")
            change, option = Change(rates={who: bps}), {"rate": f"{who}={pick.typed(bps)}"}
        elif chosen == ALONE:
            who = _user(app, ui)
            change, option = Change(brought={who: None}), {"brought": f"{who}="}
        elif chosen == MINIMUM:
            least = pick.amount(ui, "The least payment, in TAO (empty to go back):", "minimum")
            change, option = Change(minimum=least / 10**9), {"minimum": short_text(least)}
        else:
            method = ui.choose("Which method?", METHODS)
            if method is None:
                return
            change, option = Change(method=method), {"method": method}
        what_if_views.outcome(ui, replayed(record, change))
        same.tell(ui, "what-if", **option, **asked)

    levels.repeat(ui, "What if there were", lambda: [TAKE, RATE, ALONE, METHOD, MINIMUM], act)


def _statement(app: App, ui: Ui, *, every: bool) -> None:
    from datetime import UTC, datetime

    from menus import same
    from menus.reports.commands import statement
    from valtrac.reports import statements
    from valtrac.reports.model import ranges

    who = None if every else _user(app, ui)
    default = f"{datetime.now(UTC):%Y-%m}"
    period = ui.text("For which month (2026-10) or year (2026)?", default=default, check=ranges.month)
    format_ = ui.choose("As what?", list(KINDS), label=lambda kind: KINDS[kind])
    if not period or format_ is None:
        return
    first, last = ranges.month(period)
    folder = app.settings.data / "statements" / period
    if every:
        made = statements.every(app.engine, app.settings, first, last)
        if not made:
            ui.say(f"Nobody was paid in {period}.")
            return
        written = statement.write_all(ui, app, made, folder, format_, period, None, with_proofs=False)
        ui.done(f"Written: {len(written)} files in {folder}")
        same.tell(ui, "statement", every=True, period=period, format_=format_)
        return
    asked = statements.of(app.engine, app.settings, who or "", first, last)
    path = folder / f"{statement.file_name(asked)}.{format_}"
    statement.write_one(app, asked, path, format_, statement.record_or_none(app, None, asked))
    ui.done(f"Written: {path}")
    same.tell(ui, "statement", whom=who, period=period, format_=format_)


def _record(app: App, ui: Ui) -> tuple[Record, Asked]:
    """The range to look at, by a preset or by dates, and the options of a command that say the same."""
    from valtrac.reports import statistics
    from valtrac.reports.model import ranges

    hotkey = pick.hotkey(app, ui)
    netuid, said = _netuid(app, ui, hotkey)
    dates = "other dates"
    chosen = ui.choose(
        "Of which time?", [*ranges.PRESETS, dates], label=lambda name: ranges.PRESETS.get(name, name), remember="range"
    )
    if chosen is None:
        raise Back
    typed_first = _end(ui, "From", end=False) if chosen == dates else ""
    typed_last = _end(ui, "To", end=True) if chosen == dates else ""
    first, last = ranges.bound(typed_first, field="from"), ranges.bound(typed_last, field="to", end=True)
    asked = {
        "hotkey": pick.if_several(app, hotkey),
        "from_": typed_first,
        "to": typed_last,
        "range_": "all" if chosen == dates else chosen,
        "netuid": said,
    }
    wanted = statistics.Range(hotkey, netuid, first, last, "all" if chosen == dates else chosen)
    with ui.working("Reading the record"):
        return statistics.record(app.engine, app.settings, wanted), asked


def _netuid(app: App, ui: Ui, hotkey: str) -> tuple[int | None, str | None]:
    """The subnet to look at, those with the most stake first in the list; asked only where there are several. Also how
    a command is told of it, None where it finds the same by itself."""
    from valtrac.reports import statistics

    netuids = statistics.subnets(app.engine, hotkey) or [statistics.subnet_of_stake(app.engine, hotkey)]
    netuid = pick.subnet(ui, "Whose stake?", netuids)
    return netuid, None if len(netuids) == 1 else pick.ALL_SUBNETS if netuid is None else str(netuid)


def _end(ui: Ui, which: str, *, end: bool) -> str:
    from valtrac.reports.model import ranges

    return ui.text(
        f"{which} (2026-10-31, or a block; empty for everything):",
        check=lambda text: ranges.bound(text, field=which.lower(), end=end),
    )


def _user(app: App, ui: Ui) -> str:
    """A user, by typing a part of the name where there are many."""
    from valtrac.people import users

    names = [view.name for view in users.list_users(app.engine, ended=True)]
    if not names:
        ui.say("There are no users yet. Next: Add users.")
        raise Back
    chosen = pick.one_of(ui, "Of whom?", names)
    if chosen is None:
        raise Back
    return chosen


def _spelt(name: str) -> str:
    return {"user": "one user", "users": "shares of all users", "rates": "rates over time"}.get(name, name)
