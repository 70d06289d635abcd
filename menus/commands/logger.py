"""`run.py logger ...`: the background loggers under pm2."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from menus.commands.common import Hotkey, Json, group, opened, screen
from menus.ui import Ui
from valtrac.app import App
from valtrac.errors import BadInput
from valtrac.loggers import pm2, stakes

app = group("Background loggers: start, stop, restart, remove, status, tail, run.")
CUSTODY = ("agreements", "payments")
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
    from valtrac.loggers import loop

    if name in CUSTODY:
        run_custody(name)
        return
    _known(name)
    valtrac = opened()
    chosen = valtrac.hotkey(hotkey)
    try:
        loop.run(stakes.name_of(chosen), lambda: stakes.tick(valtrac, chosen), valtrac.settings.logs)
    finally:
        valtrac.close()


def run_custody(name: str) -> None:
    """Run one of the two jobs of stake contracts here, locked until somebody hands the keys in."""
    from menus.contract_flow import socket_of
    from valtrac import config
    from valtrac.custody import CustodyApp, secrets_of
    from valtrac.loggers import agreements, loop, payments
    from valtrac.loggers.keyhole import Keyhole

    own = CustodyApp(config.load())
    job = agreements.NAME if name == "agreements" else payments.NAME

    def take(given: dict[str, Any]) -> str:
        password, exchanges = secrets_of(given)
        own.unlock(password, exchanges)
        loop.say(own.settings.logs, job, "unlocked")
        return "unlocked"

    def tick() -> loop.Tick:
        return agreements.tick(own) if name == "agreements" else payments.tick(own)

    try:
        # the keyhole is made by the one that runs: a second one would take the socket away from the first
        loop.run(job, tick, own.settings.logs, beside=lambda: Keyhole(socket_of(own.settings, job), take))
    finally:
        own.close()


def start_stakes(valtrac: App, name: str, hotkey: str | None) -> str:
    """Start the stakes logger of one hotkey; its name under pm2."""
    chosen = valtrac.hotkey(hotkey)
    pm2_name = stakes.name_of(chosen)
    pm2.start(valtrac.settings, pm2_name, ["logger", "run", name, "--hotkey", chosen])
    return pm2_name


def show(ui: Ui, valtrac: App) -> list[pm2.Job]:
    """The loggers as a table, or as JSON; returns them."""
    found, now = pm2.jobs(valtrac.settings), datetime.now(UTC)
    if ui.as_json:
        ui.records(
            [
                {
                    "name": job.name,
                    "state": job.state,
                    "pid": job.pid,
                    "restarts": job.restarts,
                    "words": job.words,
                    "heartbeat_at": job.beat.at.isoformat() if job.beat else None,
                    "age_s": round((now - job.beat.at).total_seconds(), 1) if job.beat else None,
                    "block": job.beat.block if job.beat else None,
                }
                for job in found
            ]
        )
        return found
    ui.table(
        "Background loggers",
        ["logger", "state", "last block", "heartbeat", "restarts"],
        [
            [
                job.name,
                job.state,
                job.beat.block if job.beat and job.beat.block is not None else "",
                f"{(now - job.beat.at).total_seconds():.0f} s ago" if job.beat else "none yet",
                job.restarts,
            ]
            for job in found
        ],
        optional=["restarts", "last block"],
        empty="No logger runs. Start one under Begin logging, or: run.py logger start stakes",
    )
    for job in found:
        if job.words:
            ui.warn(f"{job.name}: {job.words}")
    return found


def _pm2_name(valtrac: App, name: str, hotkey: str | None) -> str:
    return name if name.startswith("valtrac-") else stakes.name_of(valtrac.hotkey(hotkey)) if _known(name) else ""


def _known(name: str) -> str:
    if name != "stakes":
        raise BadInput(
            f"there is no logger {name[:40]!r}",
            "",
            "there are: stakes; agreements and payments (run.py contracts start)",
        )
    return name
