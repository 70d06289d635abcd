"""The jobs that one command starts: started, stopped and unlocked together, for menus and commands of any business."""

from __future__ import annotations

from typing import Any

from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.loggers import jobs
from valtrac.settings import Settings


def start(ui: Ui, settings: Settings, command: str) -> bool:
    """Put the jobs of a command, such as "pool start", under pm2; whether all of them run then. They start locked."""
    from valtrac.loggers import pm2

    ours, started = jobs.started_by(command), 0
    for name, word in ours.items():
        try:
            pm2.start(settings, name, ["logger", "run", word])
        except BadInput as error:
            ui.warn(error.what)
        else:
            ui.done(f"{name} runs, locked.")
            started += 1
    return started == len(ours)


def stop(ui: Ui, settings: Settings, command: str) -> None:
    """Stop what runs of them; what is under way comes to its end first."""
    from valtrac.loggers import pm2

    running = {job.name for job in pm2.jobs(settings) if job.state in ("running", "restarting")}
    for name in jobs.started_by(command):
        if name in running:
            pm2.stop(settings, name)
            ui.done(f"{name} is stopped.")
        else:
            ui.say(f"{name} does not run.")


def unlock(ui: Ui, settings: Settings, command: str, given: dict[str, Any]) -> int:
    """Hand secrets to every job that listens, which keeps them in memory only; how many took them.

    Raises Refused, and BadInput where none did.
    """
    from valtrac.loggers.locked import socket_of
    from valtrac.secrets.unlock_socket import hand_in

    done, problems = 0, list[str]()
    for name in jobs.started_by(command):
        path = socket_of(settings, name)
        if not path.exists():
            problems.append(f"{name} does not run")
            continue
        try:
            ui.done(f"{name}: {hand_in(path, given)}")
            done += 1
        except BadInput as error:
            problems.append(f"{name}: {error.what}")
    for words in problems:
        ui.warn(words)
    if not done:
        raise BadInput("no background job took it", fix=f"start them first: run.py {command}")
    return done


def see_that_one_runs(settings: Settings, command: str) -> None:
    """Raise BadInput where none of them listens, so that no password is asked for in vain."""
    from valtrac.loggers.locked import socket_of

    names = list(jobs.started_by(command))
    if not any(socket_of(settings, name).exists() for name in names):
        verb = "does" if len(names) == 1 else "do"
        raise BadInput(f"{' and '.join(names)} {verb} not run", fix=f"start it first: run.py {command}")
