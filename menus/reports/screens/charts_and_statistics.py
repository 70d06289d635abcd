"""Charts and statistics: figures, pictures, statements, and what other rules would have meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame import levels, pick
from menus.frame.ui import Back, Ui

if TYPE_CHECKING:
    from valtrac.reports.model.record import Record
    from valtrac.wiring.payouts import App

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
        from menus.reports import views

        views.glossary(ui)
    elif chosen in (STATEMENT, ALL):
        _statement(app, ui, every=chosen == ALL)
    else:
        record = _record(app, ui)
        if chosen == FIGURES:
            _figures(app, ui, record)
        elif chosen == CHARTS:
            _charts(app, ui, record)
        else:
            _what_if(app, ui, record)


def _figures(app: App, ui: Ui, record: Record) -> None:
    from menus.reports import views

    def show(name: str) -> None:
        who = _user(app, ui) if name in OF_USER else None
        views.VIEWS[name](ui, app, record, who)

    levels.repeat(ui, "Which figures?", lambda: list(views.VIEWS), show, label=_spelt)


def _charts(app: App, ui: Ui, record: Record) -> None:
    from menus.reports import drawing

    levels.repeat(
        ui,
        "Which chart?",
        drawing.known,
        lambda chart: drawing.show(
            ui, app, record, chart, _user(app, ui) if drawing.of_a_user(chart) else None, None, width_px=None
        ),
        label=lambda chart: chart.TITLE,
    )


def _what_if(app: App, ui: Ui, record: Record) -> None:
    from menus.reports import what_if_views
    from valtrac.reports.model.what_if import Change, replayed
    from valtrac.snapshots.model.stakes import METHODS

    def act(chosen: str) -> None:
        if chosen == TAKE:
            change = Change(take=pick.rate(ui, "The take, like 0.18 or 18% (empty to go back):") / 10_000)
        elif chosen == RATE:
            who = _user(app, ui)
            change = Change(rates={who: pick.rate(ui, f"What {who} would take, like 25% (empty to go back):")})
        elif chosen == ALONE:
            change = Change(brought={_user(app, ui): None})
        elif chosen == MINIMUM:
            least = pick.amount(ui, "The least payment, in TAO (empty to go back):", "minimum")
            change = Change(minimum=least / 10**9)
        else:
            method = ui.choose("Which method?", METHODS)
            if method is None:
                return
            change = Change(method=method)
        result = replayed(record, change)
        what_if_views.outcome(ui, result)

    levels.repeat(ui, "What if there were", lambda: [TAKE, RATE, ALONE, METHOD, MINIMUM], act)


def _statement(app: App, ui: Ui, *, every: bool) -> None:
    from datetime import UTC, datetime

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
        return
    asked = statements.of(app.engine, app.settings, who or "", first, last)
    path = folder / f"{statement.file_name(asked)}.{format_}"
    statement.write_one(app, asked, path, format_, statement.record_or_none(app, None, asked))
    ui.done(f"Written: {path}")


def _record(app: App, ui: Ui) -> Record:
    """The range to look at, by a preset or by dates."""
    from valtrac.reports import statistics
    from valtrac.reports.model import ranges

    hotkey = pick.hotkey(app, ui)
    dates = "other dates"
    chosen = ui.choose("Of which time?", [*ranges.PRESETS, dates], label=lambda name: ranges.PRESETS.get(name, name))
    if chosen is None:
        raise Back
    first = last = ranges.Bound()
    if chosen == dates:
        first = ranges.bound(_end(ui, "From", end=False), field="from")
        last = ranges.bound(_end(ui, "To", end=True), field="to", end=True)
    wanted = statistics.Range(hotkey, 0, first, last, "all" if chosen == dates else chosen)
    with ui.working("Reading the record"):
        return statistics.record(app.engine, app.settings, wanted)


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
