"""Begin logging delegate info: a snapshot an hour, in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame import pick
from menus.frame.ui import Ui
from valtrac.core.addresses import shortened

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Begin logging delegate info"
ORDER = 10


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.jobs.views import show, start_stakes
    from valtrac.loggers import pm2
    from valtrac.loggers.jobs import stakes

    chosen = pick.hotkey(app, ui)
    if any(job.name == stakes.name_of(chosen) and job.state == "running" for job in pm2.jobs(app.settings)):
        ui.done("It is being logged already.")
        show(ui, app)
        same.tell(ui, "logger status")
        return
    ui.say(
        f"This starts a background process that records every nominator's stake each "
        f"{app.settings.snapshot_interval} blocks. It goes on when this menu is closed."
    )
    if not ui.confirm(f"Start recording the stakes of {shortened(chosen)} in the background?"):
        ui.done("Not started.")
        return
    with ui.working("Starting"):
        name = start_stakes(app, "stakes", chosen)
    ui.done(f"{name} runs. Look at it any time under Background loggers.")
    same.tell(ui, "logger start", hotkey=pick.if_several(app, chosen))
