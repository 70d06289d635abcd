"""What alerts tell of themselves: a target that takes nothing, an address that is missing, an unreadable source."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.alerts.alerting import Health
from valtrac.alerts.collecting import DAILY, HOURLY
from valtrac.alerts.model.states import MessageState
from valtrac.alerts.store import outbox, targets
from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.database.engine import reading

TRIES = 3  # a target fails when a message was tried so often
UNREAD_FOR = LOOKED_FOR = timedelta(minutes=10)
A_DAY = timedelta(days=1)
KINDS = (
    EventKind(
        "alerts.target-fails", "A target takes no alerts", Severity.WARNING, "A target takes alerts again", A_DAY
    ),
    EventKind("alerts.no-address", "A target's address is missing", Severity.WARNING, "A target's address is back"),
    EventKind("alerts.unreadable", "Events cannot be read", Severity.CRITICAL, "Events can be read again", A_DAY),
    EventKind("alerts.template", "A template cannot be used", Severity.WARNING, "A template can be used again"),
    EventKind("alerts.test", "Test"),
    HOURLY,
    DAILY,
)


class OwnEvents:
    """Alerts as a source of events. health: what this process remembers of its sources and targets."""

    name = "alerts"
    kinds = KINDS

    def __init__(self, engine: sa.Engine, health: Health) -> None:
        self._engine, self._health = engine, health

    def facts(self, since: datetime) -> Iterable[Event]:
        """None: what was sent needs no alert."""
        return ()

    def states(self, now: datetime) -> Iterable[Event]:
        """Targets that fail, and sources that cannot be read."""
        with reading(self._engine) as conn:
            names = {target.id: target.name for target in targets.active(conn)}
            ready = outbox.ready(conn)
        for number, name in names.items():
            tried = [message for message in ready if message.target_id == number and message.tries >= TRIES]
            if tried:
                words = f"{name} took nothing since {tried[0].created_at:%Y-%m-%d %H:%M} UTC: {tried[0].words}"
                fix = f"run.py alerts targets test {name}"
                yield Event(f"alerts.target-fails:{name}", KINDS[0].name, now, words, f"{name}: no delivery", fix)
        for name, since in sorted(self._health.missing.items()):
            if now - since < LOOKED_FOR:  # after a start it may be about to be handed in
                continue
            words = f"The address of {name} is not at hand: what it should be told waits."
            fix = "run.py alerts unlock"
            yield Event(f"alerts.no-address:{name}", KINDS[1].name, now, words, f"{name} has no address", fix)
        for source, (since, why) in sorted(self._health.unread.items()):
            if now - since >= UNREAD_FOR:
                words = f"Nothing can be told of {source} since {since:%Y-%m-%d %H:%M} UTC: {why}"
                yield Event(f"alerts.unreadable:{source}", KINDS[2].name, now, words, f"{source}: {why}")
        for kind, wrong in sorted(self._health.templates.items()):
            yield Event(f"alerts.template:{kind}", KINDS[3].name, now, f"{kind}: {wrong}", "", "mend the template")

    def status(self, now: datetime) -> Status | None:
        """How many messages could not be delivered; None where all could."""
        with reading(self._engine) as conn:
            failed = len(outbox.newest(conn, 1_000, MessageState.FAILED))
        return Status(f"{failed} messages were given up", f"{failed} given up") if failed else None
