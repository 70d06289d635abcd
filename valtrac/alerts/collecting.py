"""Reading every source and writing down what has to be told, and to whom.

What is read goes into the outbox in one transaction with how far it was read. A fact is asked for again for an hour, as
whoever wrote it down may have needed a while, or the clock may have been set back; its id lets it in once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.alerts.alerting import Alerting, catalogue
from valtrac.alerts.model import episodes as model
from valtrac.alerts.model import schedule
from valtrac.alerts.model.episodes import Step
from valtrac.alerts.model.messages import Alert
from valtrac.alerts.model.packing import Hold
from valtrac.alerts.model.quiet import NONE
from valtrac.alerts.model.rules import Manner, Rule, Target, at_least, manner_of
from valtrac.alerts.model.states import DeliveryState
from valtrac.alerts.store import episodes, outbox, targets
from valtrac.core.endpoints import shown
from valtrac.core.errors import ValtracError
from valtrac.core.events import OWNER, Event, EventKind, Severity
from valtrac.core.text import plain, storable
from valtrac.database.engine import reading, writing
from valtrac.ports import EventSource

OVERLAP = timedelta(hours=1)
LONGEST_ID = 300
STATUS = "status"
HOURLY = EventKind("status.hourly", "Status", routine=True)
DAILY = EventKind("status.daily", "Daily status")


def collect(alerting: Alerting, now: datetime) -> int:
    """Read every source; how many alerts are new. One that cannot be read is noted, and keeps back no other."""
    kinds, new = catalogue(alerting.sources), 0
    for source in alerting.sources:
        try:
            new += _read(alerting, source, kinds, now)
            alerting.health.unread.pop(source.name, None)
        except Exception as error:  # whatever is wrong with one source: the others are read all the same
            words = error.what if isinstance(error, ValtracError) else f"{type(error).__name__}: {error}"
            since, _ = alerting.health.unread.get(source.name, (now, ""))
            alerting.health.unread[source.name] = (since, plain(shown(words), 300))
    return new + _statuses(alerting, now)


def add(alerting: Alerting, conn: sa.Connection, source: str, alerts: Sequence[Alert], now: datetime) -> int:
    """Write alerts down with who has to be told of each; how many are new."""
    active, rules = targets.active(conn), targets.rules(conn)
    known = outbox.known(conn, [alert.event.id for alert in alerts])
    wanted = dict[str, tuple[Alert, list[tuple[Target, Manner]]]]()
    for alert in alerts:
        told = _told(alerting, alert, active, rules)
        if alert.event.id not in known and (told or alert.event.audience == OWNER):
            wanted[alert.event.id] = (alert, told)
    numbers = outbox.add(conn, source, [alert for alert, _ in wanted.values()], now)
    rows = [
        {"alert_id": numbers[key], "target_id": target.id, **_delivery(alerting, alert, manner, now)}
        for key, (alert, told) in wanted.items()
        if key in numbers
        for target, manner in told
    ]
    outbox.deliver(conn, rows, now)
    return len(numbers)


def _told(
    alerting: Alerting, alert: Alert, active: Sequence[Target], rules: Sequence[Rule]
) -> list[tuple[Target, Manner]]:
    """The targets that are told of an alert, and how."""
    event, place = alert.event, alerting.settings.alerts_at_home
    told = [(target, manner_of(event.kind, alert.severity, event.audience, target, rules, place)) for target in active]
    return [(target, manner) for target, manner in told if manner is not Manner.NEVER]


def _delivery(alerting: Alerting, alert: Alert, manner: Manner, now: datetime) -> dict[str, object]:
    """In what state a delivery begins."""
    waiting = {"state": DeliveryState.WAITING, "words": ""}
    if manner is Manner.DAILY:
        return {**waiting, "hold": Hold.DAILY}
    settings = alerting.settings
    wakes = settings.alerts_wake != "never" and at_least(alert.severity, Severity.CRITICAL)
    if not settings.alerts_quiet_hours.at(now) or wakes:
        return {**waiting, "hold": Hold.NO}
    if alert.event.kind == HOURLY.name:
        return {"state": DeliveryState.DROPPED, "hold": Hold.NO, "words": "it came in quiet hours"}
    return {**waiting, "hold": Hold.QUIET}


def _read(alerting: Alerting, source: EventSource, kinds: Mapping[str, EventKind], now: datetime) -> int:
    """Read one source; how many alerts are new."""
    with reading(alerting.engine) as conn:
        cursor = episodes.read_to(conn, source.name)
        lasting = episodes.lasting(conn, source.name)
    since = now if cursor is None else max(cursor[0], min(cursor[1], now) - OVERLAP)
    facts = {plain(event.id, LONGEST_ID): event for event in source.facts(since)}
    states = [_cleaned(event) for event in source.states(now)]
    changes = model.changes(lasting, states, kinds, now)
    with reading(alerting.engine) as conn:
        known = outbox.known(conn, list(facts))
    alerts = [_alert(_cleaned(event), kinds) for key, event in facts.items() if key not in known]
    if not alerts and not changes and cursor is not None and now - cursor[1] < OVERLAP / 4 and now >= cursor[1]:
        return 0  # nothing to write: the cursor may lag behind by less than what is read twice anyway
    with writing(alerting.engine) as conn:
        for change in changes:
            number = change.episode.id if change.episode is not None else 0
            if change.step is Step.BEGAN and change.event is not None:
                number = episodes.begin(conn, source.name, change.event, now)
            else:
                episodes.note(conn, change, now)
            kind = kinds.get(change.event.kind if change.event else change.episode.kind if change.episode else "")
            told = model.alert_of(change, kind, number, now)
            if told is not None:
                alerts.append(_alert(told, kinds, over=change.step is Step.OVER))
        new = add(alerting, conn, source.name, alerts, now)
        episodes.set_read_to(conn, source.name, now)
    return new


def _alert(event: Event, kinds: Mapping[str, EventKind], *, over: bool = False) -> Alert:
    kind = kinds.get(event.kind, EventKind(event.kind, event.kind))
    return Alert(event, event.severity or kind.severity, kind.over if over else kind.title)


def _cleaned(event: Event) -> Event:
    """An event as it can be stored: whatever chains and people wrote into it."""
    return replace(
        event,
        id=plain(event.id, LONGEST_ID),
        words=storable(event.words),
        short=storable(event.short),
        fix=storable(event.fix),
        tx_ids=tuple(storable(tx_id, 200) for tx_id in event.tx_ids),
        figures=tuple((storable(name, 100), storable(value, 400)) for name, value in event.figures),
        audience=storable(event.audience, 240),
    )


def _statuses(alerting: Alerting, now: datetime) -> int:
    """The hourly and the daily status, each once, where they are due."""
    settings, due = alerting.settings, dict[str, EventKind]()
    hour = schedule.hourly(now)
    if settings.alerts_hourly and hour is not None:
        due[f"{HOURLY.name}:{hour:%Y-%m-%dT%H}"] = HOURLY
    if settings.alerts_daily != NONE:
        day = schedule.daily(now, schedule.time_of_day(settings.alerts_daily), settings.alerts_zone)
        due[f"{DAILY.name}:{day}"] = DAILY
    with reading(alerting.engine) as conn:
        told = outbox.known(conn, list(due))
    due = {key: kind for key, kind in due.items() if key not in told}
    if not due:
        return 0
    figures, shorts = _standing(alerting, now)
    alerts = [
        Alert(
            Event(key, kind.name, now, "How everything stands.", "; ".join(shorts) or "all is well", figures=figures),
            kind.severity,
            kind.title,
        )
        for key, kind in due.items()
    ]
    with writing(alerting.engine) as conn:
        return add(alerting, conn, STATUS, alerts, now)


def _standing(alerting: Alerting, now: datetime) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """(name and words of every source that has something to say, the same in short)."""
    figures, shorts = list[tuple[str, str]](), list[str]()
    for source in alerting.sources:
        try:
            status = source.status(now)
        except Exception as error:  # it cannot be told: that is told
            figures.append((source.name, f"cannot be read: {plain(shown(str(error)), 200)}"))
            continue
        if status is not None:
            figures.append((source.name, storable(status.words, 400)))
            shorts.append(storable(status.short, 160))
    return tuple(figures), shorts
