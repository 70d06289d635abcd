"""Starting and stopping the listener and the payer of stake contracts."""

from __future__ import annotations

from menus.frame.ui import Ui
from valtrac import settings
from valtrac.core.errors import BadInput
from valtrac.loggers import jobs
from valtrac.wiring.contracts import ContractsApp

JOBS = jobs.started_by("contracts start")  # name under pm2 -> as `logger run` calls it


def start_jobs(ui: Ui, own: ContractsApp) -> bool:
    """Both jobs under pm2; whether both run then. Raises BadInput, ChainUnreachable where they could not even begin."""
    from valtrac.loggers import pm2

    started = 0
    _ = own.chain  # nodes are named, or the rehearsal chain is there; whether one answers is for the jobs to wait for
    for name, word in JOBS.items():
        try:
            pm2.start(own.settings, name, ["logger", "run", word])
            ui.done(f"{name} runs, locked.")
            started += 1
        except BadInput as error:
            ui.warn(error.what)
    ui.hint("Next: unlock them (Unlock the payer, or run.py contracts unlock).")
    return started == len(JOBS)


def stop_jobs(ui: Ui, held: settings.Settings) -> None:
    """Stop what runs of the two."""
    from valtrac.loggers import pm2

    running = {job.name for job in pm2.jobs(held) if job.state in ("running", "restarting")}
    for name in JOBS:
        if name in running:
            pm2.stop(held, name)
            ui.done(f"{name} is stopped.")
        else:
            ui.say(f"{name} does not run.")
