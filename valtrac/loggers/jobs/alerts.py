"""The logger `alerts`: reads what has to be told, and tells it. It holds no key and pays nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from valtrac import settings as config
from valtrac.alerts import rounds
from valtrac.alerts.alerting import Alerting
from valtrac.alerts.model.schedule import until_the_hour
from valtrac.core.endpoints import shown
from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.text import plain
from valtrac.loggers import loop
from valtrac.loggers.events import LoggerEvents, ask_pm2
from valtrac.loggers.locked import socket_of
from valtrac.loggers.loop import Tick
from valtrac.secrets.unlock_socket import Keyhole
from valtrac.settings import Settings
from valtrac.wiring.alerts import AlertsApp

WORD, STARTED_BY, NAME = "alerts", "alerts start", "valtrac-alerts"
EVERY_S = 5.0
LOOK_S = 1.0  # in a rehearsal
AFTER_A_FAULT_S = 30.0
ADDRESSES = "addresses"  # what is handed in: name -> address


class AlertJob:
    """Alerts from round to round: settings that change hold from the next round on."""

    def __init__(self, app: AlertsApp) -> None:
        self.app, self.in_use = app, app.in_use
        self.alerting = opened(app)

    def tick(self) -> Tick:
        """One round. Whatever goes wrong in it is said and tried again."""
        try:
            done = rounds.go_round(self._current(), now)
        except Exception as error:  # addresses that somebody handed in are in this process: it goes on
            what = error.what if isinstance(error, ValtracError) else f"{type(error).__name__}: {error}"
            return Tick(None, plain(shown(what), 300), AFTER_A_FAULT_S)
        said = [f"{done.new} new"] if done.new else []
        said += [f"{done.sent} sent"] if done.sent else []
        every_s = LOOK_S if self.app.settings.rehearsing else EVERY_S
        wait_s = min(every_s, until_the_hour(now()).total_seconds())
        return Tick(None, "; ".join([*said, *done.failed, *done.words]), max(wait_s, 0.0))

    def _current(self) -> Alerting:
        """With the settings of now, and the databases that are there now."""
        try:
            fresh = config.load()
        except BadInput:  # somebody is writing them: the ones before hold
            fresh = self.app.settings
        if fresh != self.alerting.settings:
            self.alerting = replace(self.alerting, settings=fresh)
        if self.app.in_use != self.in_use:
            self.in_use = self.app.in_use
            self.alerting = replace(opened(self.app), settings=fresh)
        return self.alerting


def opened(app: AlertsApp) -> Alerting:
    """Alerts with everything that has something to tell, background jobs too."""
    return app.alerting([LoggerEvents(app.settings.logs, ask_pm2(app.settings), own=NAME)])


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def once(settings: Settings) -> rounds.Round:
    """One round here. Raises Refused while the job runs."""
    app = AlertsApp(settings)
    app.guard_memory()
    try:
        with loop.alone(settings.logs, NAME):
            return rounds.go_round(opened(app), now)
    finally:
        app.close()


def run(hotkey: str | None) -> None:
    """Tell what has to be told until told to stop. hotkey: of no use here."""
    app, woken = AlertsApp(config.load()), threading.Event()
    app.guard_memory()

    def take(given: dict[str, Any]) -> str:
        addresses = given.get(ADDRESSES)
        if not isinstance(addresses, dict):
            raise BadInput("what was handed in has another shape", fix="use the same version of ValTrac for both")
        app.addresses.hand_in({str(name): str(address) for name, address in addresses.items()})
        woken.set()
        return f"took {len(addresses)} addresses"

    try:
        job, path = AlertJob(app), socket_of(app.settings, NAME)
        loop.run(NAME, job.tick, app.settings.logs, wake=woken, beside=lambda: Keyhole(path, take))
    finally:
        app.close()
