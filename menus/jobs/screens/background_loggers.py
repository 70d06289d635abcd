"""Background loggers: what runs, what it last said, start and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.loggers.pm2 import Job
    from valtrac.wiring.payouts import App

TITLE = "Background loggers"
ORDER = 100
GROUP = groups.MACHINE
TAIL, STOP, START, RESTART, REMOVE = "See what it wrote", "Stop", "Start", "Restart", "Remove"
SAME = {
    TAIL: "logger tail",
    STOP: "logger stop",
    START: "logger restart",
    RESTART: "logger restart",
    REMOVE: "logger remove",
}


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.jobs.views import show

    def listed() -> list[Job]:
        jobs = show(ui, app)
        same.once(ui, "logger status")
        return jobs

    levels.repeat(
        ui,
        "Which logger?",
        listed,
        lambda job: _act(app, ui, job),
        label=lambda job: f"{job.name} ({job.state})",
    )


def _act(app: App, ui: Ui, job: Job) -> None:
    from menus import same
    from valtrac.loggers import pm2

    chosen = ui.choose("What?", [TAIL, *([STOP, RESTART] if job.state == "running" else [START]), REMOVE])
    if chosen is None:
        return
    if chosen == TAIL:
        for line in pm2.tail(app.settings, job.name, 20) or ["It has not written anything yet."]:
            ui.say(line)
        same.tell(ui, SAME[chosen], name=job.name)
        return
    if chosen == REMOVE and not ui.confirm("Stop it and take it off this list? What it recorded stays."):
        return
    act = {STOP: pm2.stop, START: pm2.restart, RESTART: pm2.restart, REMOVE: pm2.remove}[chosen]
    with ui.working(f"{chosen} {job.name}"):
        act(app.settings, job.name)
    ui.done({STOP: "Stopped.", START: "Started.", RESTART: "Restarted.", REMOVE: "Removed."}[chosen])
    same.tell(ui, SAME[chosen], name=job.name)
