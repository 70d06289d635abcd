"""How alerts stand, for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from valtrac.alerts.model.episodes import Episode
from valtrac.alerts.model.rules import Target
from valtrac.alerts.model.states import MessageState
from valtrac.alerts.store import episodes, outbox, targets
from valtrac.alerts.store.outbox import Told
from valtrac.core.errors import BadInput
from valtrac.database.engine import reading, writing


@dataclass(frozen=True, slots=True)
class TargetStanding:
    """A target, how many alerts and messages it waits for, and the last words of a failure."""

    target: Target
    alerts: int
    messages: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Standing:
    """quiet_until: the end of quiet hours, None where it is not quiet. failed: messages that were given up."""

    targets: tuple[TargetStanding, ...]
    lasting: tuple[Episode, ...]
    failed: int
    quiet_until: datetime | None


def standing(engine: sa.Engine, quiet_until: datetime | None) -> Standing:
    """How alerts stand."""
    with reading(engine) as conn:
        active, counts, ready = targets.active(conn), outbox.counts(conn), outbox.ready(conn)
        lasting = episodes.lasting(conn)
        failed = len(outbox.newest(conn, 1_000, MessageState.FAILED))
    words: Mapping[int, str] = {message.target_id: message.words for message in ready if message.tries}
    rows = (TargetStanding(target, *counts.get(target.id, (0, 0)), words.get(target.id, "")) for target in active)
    return Standing(tuple(rows), tuple(lasting), failed, quiet_until)


def messages(engine: sa.Engine, limit: int) -> tuple[list[Told], dict[int, str]]:
    """(the newest messages, the newest first, target number -> its name where it is still told)."""
    with reading(engine) as conn:
        names = {target.id: target.name for target in targets.active(conn)}
        return outbox.newest(conn, limit), names


def try_again(engine: sa.Engine, number: int, now: datetime) -> None:
    """Have a message sent with the next round that was given up or waits. Raises BadInput."""
    with writing(engine) as conn:
        if not outbox.try_again(conn, number, now):
            raise BadInput(f"no message #{number} waits or was given up", fix="see: run.py alerts outbox")
