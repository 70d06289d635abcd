"""Alerts as tables, and as records for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.alerts.model.episodes import Episode
from valtrac.alerts.model.messages import Alert
from valtrac.alerts.model.rules import Rule, Target
from valtrac.core.events import EventKind

if TYPE_CHECKING:
    from valtrac.alerts.overview import Standing
    from valtrac.alerts.rounds import Round
    from valtrac.alerts.settings import AlertSettings
    from valtrac.alerts.store.outbox import Told


def targets(ui: Ui, listed: Sequence[Target], missing: Sequence[str]) -> None:
    """The targets. missing: the names of those whose address is not at hand here."""
    if ui.as_json:
        ui.records([{**_target(target), "address_at_hand": target.name not in missing} for target in listed])
        return
    ui.table(
        "Targets",
        ["target", "for", "form", "place", "address"],
        [[target.name, target.audience, target.form, target.place, target.shown] for target in listed],
        optional=["place"],
        empty="No targets yet. Next: Add a target, or run.py alerts targets add NAME",
    )
    for name in missing:
        ui.warn(f"The address of {name} is not in the place where this terminal looks for it.")


def rules(ui: Ui, listed: Sequence[Rule]) -> None:
    """The owner's rules in force."""
    if ui.as_json:
        ui.records([_rule(rule) for rule in listed])
        return
    ui.table(
        "Rules",
        ["no.", "event", "from severity", "target", "told"],
        [[rule.id, rule.kind, rule.least, rule.target, rule.manner] for rule in listed],
        empty="No rules: each target is told everything that is for it, at once.",
    )


def kinds(ui: Ui, catalogue: Mapping[str, EventKind]) -> None:
    """Everything that may be told."""
    if ui.as_json:
        ui.records([_kind(kind) for kind in catalogue.values()])
        return
    ui.table(
        "What may be told",
        ["event", "severity", "title"],
        [[kind.name, kind.severity, kind.title] for kind in catalogue.values()],
    )


def outbox(ui: Ui, listed: Sequence[Told], names: Mapping[int, str]) -> None:
    """The newest messages."""
    if ui.as_json:
        ui.records([_message(message, names) for message in listed])
        return
    ui.table(
        "Outbox",
        ["no.", "made at (UTC)", "target", "state", "alerts", "message", "tries"],
        [
            [
                message.id,
                f"{message.created_at:%m-%d %H:%M:%S}",
                names.get(message.target_id, "removed"),
                message.state,
                message.alerts,
                message.title,
                message.tries,
            ]
            for message in listed
        ],
        optional=["alerts", "tries"],
        empty="Nothing was sent yet. Try a target: run.py alerts targets test NAME",
    )
    for message in listed[:5]:
        if message.words:
            ui.warn(f"#{message.id} to {names.get(message.target_id, 'removed')}: {message.words}")


def alerts(ui: Ui, listed: Sequence[tuple[Alert, int, int]]) -> None:
    """The newest alerts, and how many targets each was told to."""
    if ui.as_json:
        ui.records([_alert(*row) for row in listed])
        return
    ui.table(
        "Alerts",
        ["at (UTC)", "severity", "alert", "told", "to be told"],
        [
            [f"{alert.event.at:%m-%d %H:%M}", alert.severity, f"{alert.title}: {alert.event.words}", told, waits]
            for alert, told, waits in listed
        ],
        optional=["severity"],
        empty="Nothing has happened yet that is told.",
    )


def status(ui: Ui, stands: Standing, settings: AlertSettings, job: Mapping[str, Any]) -> None:
    """How alerts stand. job: what is known of the background job."""
    if ui.as_json:
        ui.records(
            {
                "job": dict(job),
                "quiet_until": _time(stands.quiet_until),
                "place": settings.alerts_place,
                "given_up": stands.failed,
                "targets": [
                    {**_target(row.target), "alerts": row.alerts, "messages": row.messages, "trouble": row.trouble}
                    for row in stands.targets
                ],
                "lasting": [_episode(episode) for episode in stands.lasting],
            }
        )
        return
    quiet = f"until {_local(stands.quiet_until, settings)}" if stands.quiet_until else "not now"
    ui.facts(
        [
            ("background job", f"{job['state']}{': ' + job['words'] if job['words'] else ''}"),
            ("quiet hours", f"{', '.join(settings.alerts_quiet)} {settings.alerts_time_zone}; {quiet}"),
            ("place", settings.alerts_place),
            ("given up", count(stands.failed, "message")),
        ]
    )
    ui.table(
        "Targets",
        ["target", "for", "alerts waiting", "messages waiting"],
        [[row.target.name, row.target.audience, row.alerts, row.messages] for row in stands.targets],
        empty="No targets yet. Next: Add a target, or run.py alerts targets add NAME",
    )
    for row in stands.targets:
        if row.trouble:
            ui.warn(f"{row.target.name}: {row.trouble}")
    if stands.lasting:
        ui.table(
            "What lasts",
            ["since (UTC)", "what"],
            [[f"{episode.began_at:%m-%d %H:%M}", episode.words] for episode in stands.lasting],
        )


def done(ui: Ui, made: Round) -> None:
    """What one round did."""
    if ui.as_json:
        values = {"new": made.new, "messages": made.made, "sent": made.sent}
        ui.records({**values, "failed": list(made.failed), "words": list(made.words)})
        return
    ui.done(f"{count(made.new, 'new alert')}, {count(made.made, 'message')} made, {made.sent} sent.")
    for words in (*made.failed, *made.words):
        ui.warn(words)


def quiet(ui: Ui, settings: AlertSettings, until: datetime | None) -> None:
    """Quiet hours, and whether it is quiet now."""
    if ui.as_json:
        ui.records(
            {
                "hours": list(settings.alerts_quiet),
                "time_zone": settings.alerts_time_zone,
                "wakes": settings.alerts_wake,
                "quiet_until": _time(until),
            }
        )
        return
    wakes = "nothing" if settings.alerts_wake == "never" else "critical alerts"
    ui.facts(
        [
            ("quiet hours", ", ".join(settings.alerts_quiet)),
            ("time zone", settings.alerts_time_zone),
            ("told all the same", wakes),
            ("now", f"quiet until {_local(until, settings)}" if until else "not quiet"),
        ]
    )


def _target(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "for": target.audience,
        "form": target.form,
        "place": target.place,
        "address": target.shown,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {"no": rule.id, "event": rule.kind, "least": rule.least, "target": rule.target, "told": rule.manner}


def _kind(kind: EventKind) -> dict[str, Any]:
    again_s = None if kind.again_after is None else kind.again_after.total_seconds()
    values = {"event": kind.name, "severity": kind.severity, "title": kind.title, "over": kind.over}
    return {**values, "again_after_s": again_s}


def _message(message: Told, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "no": message.id,
        "code": message.code,
        "target": names.get(message.target_id),
        "state": message.state,
        "severity": message.severity,
        "alerts": message.alerts,
        "title": message.title,
        "body": message.body,
        "tries": message.tries,
        "due_at": _time(message.due_at),
        "words": message.words,
        "created_at": _time(message.created_at),
        "ended_at": _time(message.ended_at),
    }


def _alert(alert: Alert, told: int, waits: int) -> dict[str, Any]:
    event = alert.event
    return {
        "id": event.id,
        "code": alert.code,
        "event": event.kind,
        "severity": alert.severity,
        "for": event.audience,
        "at": _time(event.at),
        "title": alert.title,
        "words": event.words,
        "fix": event.fix,
        "amounts": [str(amount) for amount in event.amounts],
        "transactions": list(event.tx_ids),
        "told": told,
        "to_be_told": waits,
    }


def _episode(episode: Episode) -> dict[str, Any]:
    values = {"event": episode.kind, "began_at": _time(episode.began_at), "told": episode.told}
    return {**values, "words": episode.words}


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _local(at: datetime | None, settings: AlertSettings) -> str:
    return "" if at is None else f"{at.astimezone(settings.alerts_zone):%H:%M}"
