"""Making messages of what waits, for each target."""

from __future__ import annotations

from datetime import datetime, time

import sqlalchemy as sa

from valtrac.alerts import templates
from valtrac.alerts.alerting import Alerting
from valtrac.alerts.model import messages, schedule
from valtrac.alerts.model.messages import Alert
from valtrac.alerts.model.packing import WINDOW, Hold, Moment, Waiting, packed
from valtrac.alerts.model.quiet import NONE
from valtrac.alerts.model.rules import Form, Target
from valtrac.alerts.store import outbox, targets
from valtrac.core.events import Message, Severity
from valtrac.database.engine import reading, writing

MORNING = time(8)
MOST_UNTAKEN = 3  # more than one: something may be wrong with a message and not with its target
SHOWN_BY = "run.py alerts list"


def pack(alerting: Alerting, now: datetime) -> int:
    """Put what waits into messages; how many were made. For a target that takes nothing at most a few are made, each
    when it is tried again: what comes meanwhile goes into one digest."""
    with reading(alerting.engine) as conn:
        active = targets.active(conn)
        troubled = outbox.troubled(conn)
        waits = outbox.waited_for(conn)
    made = 0
    for target in active:
        untaken = troubled.get(target.id, [])
        if len(untaken) >= MOST_UNTAKEN or any(message.due_at > now for message in untaken):
            continue
        if target.id not in waits or not alerting.addresses.of(target.name):
            continue
        with writing(alerting.engine) as conn:
            made += _pack(alerting, conn, target, now)
    return made


def _pack(alerting: Alerting, conn: sa.Connection, target: Target, now: datetime) -> int:
    waiting = outbox.waiting(conn, target.id)
    before = outbox.lately(conn, target.id, now - WINDOW)
    groups = packed(waiting, before, _moment(alerting, now))
    for group in groups:
        alerts = outbox.alerts_of(conn, [delivery.id for delivery in group])
        message = _message(alerting, target, group, alerts)
        code = messages.code_of(*(alert.event.id for alert in alerts))
        outbox.pack(conn, target.id, code, message, [delivery.id for delivery in group], now)
    return len(groups)


def _message(alerting: Alerting, target: Target, group: list[Waiting], alerts: list[Alert]) -> Message:
    sender = alerting.sender(target.audience)
    if len(alerts) == 1:
        message, wrong = templates.rendered(alerts[0], target.form, sender, alerting.settings.alerts_templates)
        alerting.health.templates.pop(alerts[0].event.kind, None)
        if wrong:
            alerting.health.templates[alerts[0].event.kind] = wrong
        return message
    if target.form is Form.SMS:
        return messages.sms_digest(alerts, sender)
    holds = {delivery.hold for delivery in group}
    why = " of quiet hours" if Hold.QUIET in holds else " of the day" if Hold.DAILY in holds else " at once"
    return messages.digest(alerts, sender, why, SHOWN_BY)


def _moment(alerting: Alerting, now: datetime) -> Moment:
    settings = alerting.settings
    time_of_day = MORNING if settings.alerts_daily == NONE else schedule.time_of_day(settings.alerts_daily)
    day = schedule.daily(now, time_of_day, settings.alerts_zone)
    return Moment(
        now,
        settings.alerts_quiet_hours.at(now),
        datetime.combine(day, time_of_day, settings.alerts_zone),
        None if settings.alerts_wake == "never" else Severity.CRITICAL,
        settings.alerts_most,
    )
