"""The outbox: alerts, who has to be told of each, and the messages made of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.alerts.model.messages import Alert
from valtrac.alerts.model.packing import Hold, Sent, Waiting
from valtrac.alerts.model.states import DeliveryState, MessageState
from valtrac.alerts.store import tables as t
from valtrac.core.events import Event, Message, Severity
from valtrac.core.hashing import canonical
from valtrac.core.money import Amount, Asset
from valtrac.database.engine import insert

A, D, M = t.alerts.c, t.deliveries.c, t.messages.c
SOME = 500


@dataclass(frozen=True, slots=True)
class Told:
    """A message in the outbox. alerts: how many are in it; tries: how often it was handed over, or was about to be."""

    id: int
    target_id: int
    code: str
    title: str
    body: str
    severity: Severity
    alerts: int
    state: MessageState
    tries: int
    due_at: datetime
    words: str
    created_at: datetime
    ended_at: datetime | None

    @property
    def message(self) -> Message:
        """As it goes out."""
        return Message(self.title, self.body, self.severity)


def known(conn: sa.Connection, keys: Sequence[str]) -> set[str]:
    """Those of some ids under which there is an alert already."""
    existing = set[str]()
    for start in range(0, len(keys), SOME):
        existing |= set(conn.execute(sa.select(A.key).where(A.key.in_(keys[start : start + SOME]))).scalars())
    return existing


def add(conn: sa.Connection, source: str, alerts: Iterable[Alert], now: datetime) -> dict[str, int]:
    """Write alerts down, each once for ever; id -> number of those that are new."""
    numbers = dict[str, int]()
    rows = [_row(source, alert, now) for alert in alerts]
    for start in range(0, len(rows), SOME):
        added = insert(conn, t.alerts).on_conflict_do_nothing().returning(A.id, A.key)
        numbers |= {row.key: row.id for row in conn.execute(added, rows[start : start + SOME])}
    return numbers


def deliver(conn: sa.Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    """Note who has to be told. Each: alert_id, target_id, state, hold, words."""
    values = [{**row, "created_at": now} for row in rows]
    for start in range(0, len(values), SOME):
        conn.execute(t.deliveries.insert(), values[start : start + SOME])


def waiting(conn: sa.Connection, target_id: int) -> list[Waiting]:
    """What a target has not been told of yet, the oldest first."""
    rows = conn.execute(
        sa.select(D.id, A.severity, D.hold, D.created_at)
        .join(t.alerts, A.id == D.alert_id)
        .where(D.target_id == target_id, D.state == DeliveryState.WAITING)
        .order_by(D.id)
    )
    return [Waiting(row.id, Severity(row.severity), Hold(row.hold), row.created_at) for row in rows]


def waited_for(conn: sa.Connection) -> set[int]:
    """The targets that have not been told of something yet."""
    return set(conn.execute(sa.select(D.target_id).where(D.state == DeliveryState.WAITING).distinct()).scalars())


def alerts_of(conn: sa.Connection, delivery_ids: Sequence[int]) -> list[Alert]:
    """The alerts of some deliveries, in their order."""
    by_delivery = dict[int, Alert]()
    for start in range(0, len(delivery_ids), SOME):
        some = delivery_ids[start : start + SOME]
        rows = conn.execute(
            sa.select(D.id.label("no"), t.alerts).join(t.alerts, A.id == D.alert_id).where(D.id.in_(some))
        )
        by_delivery |= {row.no: _alert(row) for row in rows}
    return [by_delivery[number] for number in delivery_ids]


def pack(
    conn: sa.Connection, target_id: int, code: str, message: Message, delivery_ids: Sequence[int], now: datetime
) -> int:
    """Put deliveries into a message that is ready to be sent; its number."""
    row = {
        "target_id": target_id,
        "code": code,
        "title": message.title,
        "body": message.body,
        "severity": message.severity,
        "alerts": len(delivery_ids),
        "state": MessageState.READY,
        "tries": 0,
        "due_at": now,
        "created_at": now,
    }
    number = int(conn.execute(t.messages.insert().values(row).returning(M.id)).scalar_one())
    for start in range(0, len(delivery_ids), SOME):
        conn.execute(
            t.deliveries.update()
            .where(D.id.in_(delivery_ids[start : start + SOME]), D.state == DeliveryState.WAITING)
            .values(state=DeliveryState.PACKED, message_id=number)
        )
    return number


def lately(conn: sa.Connection, target_id: int, since: datetime) -> list[Sent]:
    """The messages that were made for a target since then."""
    rows = conn.execute(sa.select(M.created_at, M.alerts).where(M.target_id == target_id, M.created_at > since))
    return [Sent(row.created_at, row.alerts) for row in rows]


def ready(conn: sa.Connection) -> list[Told]:
    """The messages that have to be sent, the oldest first, those that are due later too."""
    return _messages(conn, M.state == MessageState.READY)


def troubled(conn: sa.Connection) -> dict[int, list[Told]]:
    """target -> the messages that it did not take, of those targets that have taken nothing since.

    A target that takes others and not that one is none of them: something is wrong with the message."""
    sent = sa.select(M.target_id, sa.func.max(M.ended_at)).where(M.state == MessageState.SENT).group_by(M.target_id)
    taken = {row[0]: row[1] for row in conn.execute(sent)}
    by_target: dict[int, list[Told]] = {}
    for message in ready(conn):
        last = taken.get(message.target_id)
        if message.tries and (last is None or last < message.created_at):
            by_target.setdefault(message.target_id, []).append(message)
    return by_target


def newest(conn: sa.Connection, limit: int, *states: MessageState) -> list[Told]:
    """The newest messages, the newest first; in some states, or all."""
    chosen = sa.select(t.messages).order_by(M.id.desc()).limit(limit)
    if states:
        chosen = chosen.where(M.state.in_(states))
    return [_told(row) for row in conn.execute(chosen)]


def note_try(conn: sa.Connection, message: Told, next_at: datetime) -> None:
    """Note before a message is handed over that it may have been: should nobody note how it went, it is tried again
    at `next_at`."""
    conn.execute(t.messages.update().where(M.id == message.id).values(tries=message.tries + 1, due_at=next_at))


def note_end(conn: sa.Connection, message_id: int, state: MessageState, words: str, now: datetime) -> None:
    """Note that a message was sent, or is given up."""
    conn.execute(
        t.messages.update()
        .where(M.id == message_id, M.state == MessageState.READY)
        .values(state=state, words=words[:500], ended_at=now)
    )


def note_failure(conn: sa.Connection, message_id: int, words: str) -> None:
    """Note why a message was not taken; it is tried again when it is due."""
    conn.execute(t.messages.update().where(M.id == message_id, M.state == MessageState.READY).values(words=words[:500]))


def try_again(conn: sa.Connection, message_id: int, now: datetime) -> bool:
    """Have a message that was given up, or waits for another try, sent at once; False where there is none such."""
    done = conn.execute(
        t.messages.update()
        .where(M.id == message_id, M.state.in_((MessageState.FAILED, MessageState.READY)))
        .values(state=MessageState.READY, due_at=now, ended_at=None)
    )
    return done.rowcount == 1


def counts(conn: sa.Connection) -> dict[int, tuple[int, int]]:
    """target -> (alerts that wait, messages that are ready)."""
    held = sa.select(D.target_id, sa.func.count()).where(D.state == DeliveryState.WAITING).group_by(D.target_id)
    made = sa.select(M.target_id, sa.func.count()).where(M.state == MessageState.READY).group_by(M.target_id)
    alerts, messages = ({row[0]: int(row[1]) for row in conn.execute(chosen)} for chosen in (held, made))
    return {number: (alerts.get(number, 0), messages.get(number, 0)) for number in alerts.keys() | messages.keys()}


def newest_alerts(conn: sa.Connection, limit: int, key: str = "") -> list[tuple[Alert, int, int]]:
    """(alert, targets told, targets still to be told) of the newest alerts, the newest first. key: a part of its id."""
    chosen = sa.select(t.alerts).order_by(A.id.desc()).limit(limit)
    if key:
        chosen = chosen.where(A.key.contains(key, autoescape=True))
    rows = list(conn.execute(chosen))
    numbers = [row.id for row in rows]
    told, open_ = dict[int, int](), dict[int, int]()
    joined = sa.select(D.alert_id, D.state, M.state.label("became")).outerjoin(t.messages, M.id == D.message_id)
    for row in conn.execute(joined.where(D.alert_id.in_(numbers))):
        if row.became == MessageState.SENT:
            told[row.alert_id] = told.get(row.alert_id, 0) + 1
        elif row.state == DeliveryState.WAITING or row.became == MessageState.READY:
            open_[row.alert_id] = open_.get(row.alert_id, 0) + 1
    return [(_alert(row), told.get(row.id, 0), open_.get(row.id, 0)) for row in rows]


def _messages(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Told]:
    return [_told(row) for row in conn.execute(sa.select(t.messages).where(*conditions).order_by(M.id))]


def _told(row: sa.Row[Any]) -> Told:
    values = dict(row._mapping)
    return Told(**{**values, "state": MessageState(row.state), "severity": Severity(row.severity)})


def _row(source: str, alert: Alert, now: datetime) -> dict[str, Any]:
    event = alert.event
    content = {
        "words": event.words,
        "short": event.short,
        "fix": event.fix,
        "amounts": [
            [str(amount.units), amount.asset.chain, amount.asset.symbol, amount.asset.decimals]
            for amount in event.amounts
        ],
        "tx_ids": list(event.tx_ids),
        "figures": [list(pair) for pair in event.figures],
    }
    return {
        "key": event.id,
        "kind": event.kind,
        "source": source,
        "severity": alert.severity,
        "audience": event.audience,
        "title": alert.title[:200],
        "content": canonical(content),
        "at": event.at,
        "created_at": now,
    }


def _alert(row: sa.Row[Any]) -> Alert:
    content = json.loads(row.content)
    severity = Severity(row.severity)
    event = Event(
        row.key,
        row.kind,
        row.at,
        content["words"],
        content["short"],
        content["fix"],
        tuple(
            Amount(int(units), Asset(chain, symbol, decimals)) for units, chain, symbol, decimals in content["amounts"]
        ),
        tuple(content["tx_ids"]),
        tuple((name, value) for name, value in content["figures"]),
        row.audience,
        severity,
    )
    return Alert(event, severity, row.title)
