"""What the menu and the commands of alerts do, once it is known what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from menus.alerts import views
from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac import settings as config
from valtrac.alerts import alerting as desk
from valtrac.alerts import dead_man, delivery, overview, targets
from valtrac.alerts.model.quiet import LEAD
from valtrac.alerts.store import outbox
from valtrac.alerts.store import targets as stored
from valtrac.alerts.targets import NewTarget
from valtrac.core.errors import BadInput, Refused
from valtrac.core.events import EventKind
from valtrac.database.engine import reading
from valtrac.loggers import events as of_loggers
from valtrac.loggers import loop, pm2
from valtrac.loggers.jobs import alerts as job
from valtrac.loggers.locked import socket_of
from valtrac.secrets.unlock_socket import hand_in
from valtrac.settings import Settings
from valtrac.wiring.alerts import AlertsApp

T = TypeVar("T")


def with_app(act: Callable[[AlertsApp], T]) -> T:
    """Do something with alerts, and let go of everything afterwards."""
    app = AlertsApp(config.load())
    try:
        return act(app)
    finally:
        app.close()


def show_targets(ui: Ui, app: AlertsApp) -> None:
    """The targets, and whose address is not at hand."""
    with reading(app.engine) as conn:
        listed = stored.active(conn)
    views.targets(ui, listed, [target.name for target in listed if not app.addresses.of(target.name)])


def add_target(ui: Ui, app: AlertsApp, asked: NewTarget) -> None:
    """Add a target and say how to try it. Its address goes to the running job too."""
    app.guard_memory()
    target = targets.add(app.engine, asked, app.addresses.keep)
    ui.done(f"{target.name} receives alerts from now on: {target.shown}")
    ui.hint(f"Next: try it: run.py alerts targets test {target.name}")
    hand_in_quietly(app, {target.name: asked.address.strip()})


def remove_target(ui: Ui, app: AlertsApp, name: str) -> None:
    """Remove a target and forget its address."""
    target, dropped = targets.remove(app.engine, name)
    app.addresses.forget(target.name)
    waited = f" {count(dropped, 'alert or message')} that waited for it are dropped." if dropped else ""
    ui.done(f"{target.name} is told nothing any more.{waited}")


def test_target(ui: Ui, app: AlertsApp, name: str) -> None:
    """Send a test at once and say what became of it. Raises Refused where it was not taken."""
    target = targets.get(app.engine, name)
    with ui.working(f"Telling {target.name}"):
        answer = targets.test(app.alerting(), target, datetime.now(UTC))
    if not answer.taken:
        raise Refused(
            f"{target.name} did not take the test",
            why=answer.words,
            fix="mend the address: remove the target and add it again",
        )
    ui.done(f"{target.name} took the test. Look whether it arrived.")
    if ui.as_json:
        ui.records({"target": target.name, "taken": True})


def show_rules(ui: Ui, app: AlertsApp) -> None:
    """The rules in force."""
    with reading(app.engine) as conn:
        listed = stored.rules(conn)
    views.rules(ui, listed)


def show_status(ui: Ui, app: AlertsApp) -> None:
    """How alerts stand, and whether the job runs."""
    stands = overview.standing(app.engine, quiet_until(app.settings))
    views.status(ui, stands, app.settings, _job(app.settings))


def brief(ui: Ui, app: AlertsApp) -> None:
    """The same in a line, with what goes wrong."""
    settings = config.load()
    stands, job_state = overview.standing(app.engine, quiet_until(settings)), _job(settings)["state"]
    quiet = f"quiet until {stands.quiet_until.astimezone(settings.alerts_zone):%H:%M}" if stands.quiet_until else ""
    waits = sum(row.alerts + row.messages for row in stands.targets)
    said = [count(len(stands.targets), "target"), quiet, f"{waits} to be told" if waits else "", f"job: {job_state}"]
    ui.hint(" · ".join(filter(None, said)))
    for row in [row for row in stands.targets if row.trouble][:3]:
        ui.warn(f"{row.target.name}: {row.trouble}")


def show_outbox(ui: Ui, app: AlertsApp, limit: int) -> None:
    """The newest messages."""
    views.outbox(ui, *overview.messages(app.engine, limit))


def show_alerts(ui: Ui, app: AlertsApp, limit: int, words: str) -> None:
    """The newest alerts."""
    with reading(app.engine) as conn:
        listed = outbox.newest_alerts(conn, limit, words)
    views.alerts(ui, listed)


def catalogue(app: AlertsApp) -> dict[str, EventKind]:
    """Everything that may be told, in use here or not yet."""
    return desk.named([*app.kinds(), *of_loggers.KINDS])


def quiet_until(settings: Settings) -> datetime | None:
    """The end of quiet hours; None where it is not quiet."""
    now, hours = datetime.now(UTC), settings.alerts_quiet_hours
    end = hours.end(now) if hours.at(now) else None
    return None if end is None else end + LEAD


def start(ui: Ui, app: AlertsApp) -> None:
    """Start the job under pm2."""
    pm2.start(app.settings, job.NAME, ["logger", "run", job.WORD])
    ui.done(f"{job.NAME} runs.")
    with reading(app.engine) as conn:
        listed = stored.active(conn)
    if not listed:
        ui.hint("No targets yet. Next: Add a target, or run.py alerts targets add NAME")
    if app.settings.alerts_addresses != "file" and listed:
        ui.hint("Where the job cannot get the addresses by itself, hand them in: run.py alerts unlock")


def unlock(ui: Ui, app: AlertsApp) -> None:
    """Hand the addresses to the running job: as they are kept, or typed where they are not."""
    app.guard_memory()
    with reading(app.engine) as conn:
        names = [target.name for target in stored.active(conn)]
    given = {name: address for name in [*names, dead_man.NAME] if (address := app.addresses.of(name))}
    for name in names:
        if name not in given and ui.can_ask:
            typed = ui.password(f"Address of {name} (empty to go without it):").strip()
            if typed:
                delivery.shown(typed)
                given[name] = typed
    if not given:
        raise BadInput("there is no address to hand in", fix="add a target: run.py alerts targets add NAME")
    ui.done(f"{job.NAME}: {hand_in(socket_of(app.settings, job.NAME), {job.ADDRESSES: given})}.")


def hand_in_quietly(app: AlertsApp, addresses: dict[str, str]) -> None:
    """Hand addresses to the job where it runs; where it does not, it finds them when it starts."""
    path = socket_of(app.settings, job.NAME)
    if path.exists():
        try:
            hand_in(path, {job.ADDRESSES: addresses})
        except (BadInput, Refused):
            return


def set_dead_man(ui: Ui, app: AlertsApp, address: str) -> None:
    """Keep the address of the dead-man's switch, or forget it where it is empty."""
    app.guard_memory()
    if not address:
        app.addresses.forget(dead_man.NAME)
        ui.done("No dead-man's switch is called any more.")
        return
    app.addresses.keep(dead_man.NAME, dead_man.check(address))
    hand_in_quietly(app, {dead_man.NAME: address})
    ui.done(f"It is called every {app.settings.alerts_dead_man_minutes} minutes while all is well.")


def write_setting(ui: Ui, name: str, value: str) -> None:
    """Set one of the settings of alerts; it holds from the next round of the job on."""
    path = config.write(name, value)
    ui.done(f"{name}={value} is in {path}; it holds at once.")


def _job(settings: Settings) -> dict[str, Any]:
    """What is known of the background job, without waking pm2 up where it does not run."""
    process = next((candidate for candidate in pm2.jobs(settings) if candidate.name == job.NAME), None)
    beat = loop.last_beat(settings.logs, job.NAME)
    if process is None:
        return {"state": "not started", "words": "run.py alerts start", "heartbeat_at": None}
    words = process.words or (beat.words if beat else "")
    return {"state": process.state, "words": words, "heartbeat_at": beat.at.isoformat() if beat else None}
