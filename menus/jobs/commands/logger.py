"""`run.py logger ...`: the background loggers under pm2."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame.commands import Hotkey, Json, loaded, opened, screen
from menus.frame.grouping import group
from menus.jobs.views import show, start_stakes
from valtrac.core.errors import BadInput
from valtrac.loggers import jobs, pm2
from valtrac.loggers.backing_up import backing_up
from valtrac.loggers.jobs import stakes
from valtrac.wiring.payouts import App

app = group("Background loggers: start, stop, restart, remove, status, tail, run.")
Name = Annotated[str, typer.Argument(help="The logger: stakes.")]


@app.command()
def start(name: Name = "stakes", hotkey: Hotkey = None) -> None:
    """Start a logger under pm2; it goes on after this terminal is closed."""
    valtrac = opened()
    pm2_name = start_stakes(valtrac, _known(name), hotkey)
    screen().done(f"{pm2_name} runs. Look at it: run.py logger status")


@app.command()
def stop(name: Name = "stakes", hotkey: Hotkey = None) -> None:
    """Stop a logger; what it recorded stays."""
    valtrac = opened()
    pm2.stop(valtrac.settings, _pm2_name(valtrac, name, hotkey))
    screen().done("Stopped.")


@app.command()
def restart(name: Name = "stakes", hotkey: Hotkey = None) -> None:
    """Stop a logger and start it again."""
    valtrac = opened()
    pm2.restart(valtrac.settings, _pm2_name(valtrac, name, hotkey))
    screen().done("Restarted.")


@app.command()
def remove(name: Name = "stakes", hotkey: Hotkey = None) -> None:
    """Stop a logger and take it off the list; what it recorded stays."""
    valtrac = opened()
    pm2.remove(valtrac.settings, _pm2_name(valtrac, name, hotkey))
    screen().done("Removed.")


@app.command()
def status(as_json: Json = False) -> None:
    """Show every logger: state, last heartbeat, last block."""
    show(screen(as_json), opened())


@app.command()
def tail(
    name: Name = "stakes", hotkey: Hotkey = None, lines: Annotated[int, typer.Option("--lines", min=1, max=1000)] = 20
) -> None:
    """Show the last lines that a logger wrote."""
    valtrac, ui = opened(), screen()
    for line in pm2.tail(valtrac.settings, _pm2_name(valtrac, name, hotkey), lines):
        ui.line(line)


@app.command()
def run(name: Name = "stakes", hotkey: Hotkey = None) -> None:
    """Run a logger here, in the foreground, until Ctrl-C."""
    job = jobs.job(name)
    with backing_up(loaded()):
        job.run(hotkey)


def _pm2_name(valtrac: App, name: str, hotkey: str | None) -> str:
    return name if name.startswith("valtrac-") else stakes.name_of(valtrac.hotkey(hotkey)) if _known(name) else ""


def _known(name: str) -> str:
    job = jobs.job(name)
    if job is not stakes:
        raise BadInput(f"{name} is not started here", fix=f"run.py {job.STARTED_BY}")
    return name
