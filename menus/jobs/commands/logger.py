"""`run.py logger ...`: the background loggers under pm2."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from menus.frame.commands import Hotkey, Json, group, opened, screen
from menus.jobs.views import show, start_stakes
from valtrac.core.errors import BadInput
from valtrac.loggers import pm2, stakes
from valtrac.wiring.payouts import App

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
    from menus.contracts.unlocking import socket_of
    from valtrac import settings
    from valtrac.loggers import agreements, loop, payments
    from valtrac.secrets.unlock_socket import Keyhole
    from valtrac.wiring.contracts import ContractsApp, secrets_of

    own = ContractsApp(settings.load())
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


def _pm2_name(valtrac: App, name: str, hotkey: str | None) -> str:
    return name if name.startswith("valtrac-") else stakes.name_of(valtrac.hotkey(hotkey)) if _known(name) else ""


def _known(name: str) -> str:
    if name != "stakes":
        raise BadInput(
            f"there is no logger {name[:40]!r}",
            fix="there are: stakes; agreements and payments (run.py contracts start)",
        )
    return name
