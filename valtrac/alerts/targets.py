"""The owner's word on targets and rules, and a test of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.alerts import delivery, templates
from valtrac.alerts.alerting import Alerting
from valtrac.alerts.dead_man import NAME as DEAD_MAN
from valtrac.alerts.model.messages import Alert
from valtrac.alerts.model.rules import ANY, Form, Manner, Place, Rule, Target, fits
from valtrac.alerts.store import targets as stored
from valtrac.core.errors import BadInput
from valtrac.core.events import OWNER, PAYEE, PUBLIC, Event, EventKind, Sent, Severity
from valtrac.core.text import is_plain, nearest, plain
from valtrac.database.engine import reading, writing

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A target as it is asked for. address: a URL of apprise."""

    name: str
    address: str
    audience: str = OWNER
    form: Form = Form.LONG
    place: Place = Place.EVERYWHERE


def name_of(text: str) -> str:
    """A name for a target. Raises BadInput."""
    if not NAME.fullmatch(text) or text == DEAD_MAN:
        raise BadInput(
            f"{plain(text, 40)!r} is no name for a target", fix="small letters, digits, dashes, like my-mail"
        )
    return text


def audience_of(text: str) -> str:
    """Who listens at a target: owner, public, or payee:NAME. Raises BadInput."""
    text = text.strip()
    if text in (OWNER, PUBLIC) or (text.startswith(PAYEE) and len(text) > len(PAYEE) and is_plain(text)):
        return text
    raise BadInput(f"{plain(text, 60)!r} is nobody that can be told", fix="owner, public, or payee:NAME")


def add(engine: sa.Engine, asked: NewTarget, keep: Callable[[str, str], None]) -> Target:
    """Add a target. keep: keeps its address, before anything is written down.

    Raises BadInput for an address that is none or a name that is taken, Refused where the address cannot be kept.
    """
    name_of(asked.name)
    audience, shown = audience_of(asked.audience), delivery.shown(asked.address)
    with reading(engine) as conn:
        taken = stored.named(conn, asked.name)
    if taken is not None:
        raise BadInput(f"there is a target {asked.name} already", fix=f"run.py alerts targets remove {asked.name}")
    keep(asked.name, asked.address.strip())
    with writing(engine) as conn:
        stored.add(
            conn,
            name=asked.name,
            audience=audience,
            form=asked.form,
            place=asked.place,
            shown=shown,
            at=datetime.now(UTC),
        )
        added = stored.named(conn, asked.name)
    if added is None:
        raise BadInput(f"target {asked.name} was removed meanwhile", fix="add it again")
    return added


def remove(engine: sa.Engine, name: str) -> tuple[Target, int]:
    """Remove a target; (it, how many alerts and messages are dropped with it). Raises BadInput."""
    target = get(engine, name)
    with writing(engine) as conn:
        return target, stored.remove(conn, target, datetime.now(UTC))


def get(engine: sa.Engine, name: str) -> Target:
    """A target by name. Raises BadInput."""
    with reading(engine) as conn:
        active = {target.name: target for target in stored.active(conn)}
    if name not in active:
        what = f"there is no target {plain(name, 40)!r}{nearest(name, set(active))}"
        raise BadInput(what, fix="see: run.py alerts targets list")
    return active[name]


def test(alerting: Alerting, target: Target, now: datetime) -> Sent:
    """Send a test to a target at once, past quiet hours and outbox; what its service said."""
    event = Event(
        f"alerts.test:{target.name}:{now:%Y%m%dT%H%M%S}",
        "alerts.test",
        now,
        "This is a test: alerts of this machine arrive here.",
        "alerts of this machine arrive here",
        audience=target.audience,
    )
    alert = Alert(event, Severity.INFO, "Test")
    sender = alerting.sender(target.audience)
    message, _ = templates.rendered(alert, target.form, sender, alerting.settings.alerts_templates)
    address = alerting.addresses.of(target.name)
    if not address:
        return Sent(False, "its address is not at hand")
    return alerting.notifier.send(address, message)


def add_rule(
    engine: sa.Engine, kinds: Mapping[str, EventKind], kind: str, target: str, least: Severity, manner: Manner
) -> Rule:
    """Let a rule hold from now on, in the place of one about just the same. Raises BadInput."""
    if not any(fits(kind, known) for known in kinds):
        what = f"no event is called {plain(kind, 60)!r}{nearest(kind, set(kinds))}"
        raise BadInput(what, fix="see: run.py alerts rules; payouts.* and * are rules too")
    if target != ANY:
        get(engine, target)
    with writing(engine) as conn:
        number, _ = stored.add_rule(conn, kind=kind, target=target, least=least, manner=manner, at=datetime.now(UTC))
    return Rule(number, kind, target, least, manner)


def end_rule(engine: sa.Engine, number: int) -> None:
    """Let a rule hold no more. Raises BadInput."""
    with writing(engine) as conn:
        if not stored.end_rule(conn, number, datetime.now(UTC)):
            raise BadInput(f"no rule #{number} is in force", fix="see: run.py alerts rules")
