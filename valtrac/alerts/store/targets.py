"""Targets and rules in the database."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from valtrac.alerts.model.rules import Form, Manner, Place, Rule, Target
from valtrac.alerts.model.states import DeliveryState, MessageState, RuleState, TargetState
from valtrac.alerts.store import tables as t
from valtrac.core.events import Severity
from valtrac.database.engine import insert

T, R, D, M = t.targets.c, t.rules.c, t.deliveries.c, t.messages.c


def active(conn: sa.Connection) -> list[Target]:
    """The targets that are told, by name."""
    rows = conn.execute(sa.select(t.targets).where(T.state == TargetState.ACTIVE).order_by(T.name))
    return [Target(row.id, row.name, row.audience, Form(row.form), Place(row.place), row.shown) for row in rows]


def named(conn: sa.Connection, name: str) -> Target | None:
    """The active target of a name."""
    return next((target for target in active(conn) if target.name == name), None)


def add(
    conn: sa.Connection, *, name: str, audience: str, form: Form, place: Place, shown: str, at: datetime
) -> int | None:
    """Add a target; its number, None where there is one of that name."""
    row = {"name": name, "audience": audience, "form": form, "place": place, "shown": shown}
    values = {**row, "state": TargetState.ACTIVE, "created_at": at}
    return conn.execute(insert(conn, t.targets).values(values).on_conflict_do_nothing().returning(T.id)).scalar()


def remove(conn: sa.Connection, target: Target, at: datetime) -> int:
    """Remove a target; how many alerts and messages that it had not got yet are dropped with it."""
    conn.execute(
        t.targets.update()
        .where(T.id == target.id, T.state == TargetState.ACTIVE)
        .values(state=TargetState.REMOVED, removed_at=at)
    )
    waiting = conn.execute(
        t.deliveries.update()
        .where(D.target_id == target.id, D.state == DeliveryState.WAITING)
        .values(state=DeliveryState.DROPPED, words="its target was removed")
    )
    ready = conn.execute(
        t.messages.update()
        .where(M.target_id == target.id, M.state == MessageState.READY)
        .values(state=MessageState.DROPPED, words="its target was removed", ended_at=at)
    )
    return waiting.rowcount + ready.rowcount


def rules(conn: sa.Connection) -> list[Rule]:
    """The owner's rules in force, the oldest first."""
    rows = conn.execute(sa.select(t.rules).where(R.state == RuleState.IN_FORCE).order_by(R.id))
    return [Rule(row.id, row.kind, row.target, Severity(row.least), Manner(row.manner)) for row in rows]


def add_rule(
    conn: sa.Connection, *, kind: str, target: str, least: Severity, manner: Manner, at: datetime
) -> tuple[int, int]:
    """Add a rule in the place of the one about just the same; (its number, how many it replaces)."""
    same = (R.kind == kind, R.target == target, R.least == least, R.state == RuleState.IN_FORCE)
    replaced = conn.execute(t.rules.update().where(*same).values(state=RuleState.ENDED, ended_at=at)).rowcount
    row = {"kind": kind, "target": target, "least": least, "manner": manner}
    values = {**row, "state": RuleState.IN_FORCE, "created_at": at}
    return int(conn.execute(t.rules.insert().values(values).returning(R.id)).scalar_one()), replaced


def end_rule(conn: sa.Connection, number: int, at: datetime) -> bool:
    """End a rule; False where there is none of that number in force."""
    done = conn.execute(
        t.rules.update().where(R.id == number, R.state == RuleState.IN_FORCE).values(state=RuleState.ENDED, ended_at=at)
    )
    return done.rowcount == 1
