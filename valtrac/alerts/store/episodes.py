"""How far every source was read, and the states that last."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from valtrac.alerts.model.episodes import Change, Episode, Step
from valtrac.alerts.model.states import EpisodeState
from valtrac.alerts.store import tables as t
from valtrac.core.events import Event
from valtrac.database.engine import insert

C, E = t.cursors.c, t.episodes.c


def read_to(conn: sa.Connection, source: str) -> tuple[datetime, datetime] | None:
    """(since when a source is read at all, when it was read last); None: never."""
    row = conn.execute(sa.select(C.began_at, C.read_to).where(C.source == source)).first()
    return None if row is None else (row.began_at, row.read_to)


def set_read_to(conn: sa.Connection, source: str, at: datetime) -> None:
    """Note when a source was read."""
    conn.execute(
        insert(conn, t.cursors)
        .values(source=source, began_at=at, read_to=at)
        .on_conflict_do_update(index_elements=[C.source], set_={"read_to": at})
    )


def lasting(conn: sa.Connection, source: str | None = None) -> list[Episode]:
    """The episodes that last, of one source or all, the oldest first."""
    chosen = sa.select(t.episodes).where(E.state == EpisodeState.LASTS).order_by(E.id)
    if source is not None:
        chosen = chosen.where(E.source == source)
    names = tuple(Episode.__dataclass_fields__)
    return [Episode(**{name: row._mapping[name] for name in names}) for row in conn.execute(chosen)]


def begin(conn: sa.Connection, source: str, event: Event, now: datetime) -> int:
    """Write down that a state begins; the number of its episode."""
    row = {
        "key": event.id,
        "kind": event.kind,
        "source": source,
        "audience": event.audience,
        "state": EpisodeState.LASTS,
        "began_at": min(event.at, now),
        "told_at": now,
        "told": 1,
        "words": event.words,
    }
    return int(conn.execute(t.episodes.insert().values(row).returning(E.id)).scalar_one())


def note(conn: sa.Connection, change: Change, now: datetime) -> None:
    """Write down what a look found out about an episode that lasts."""
    episode = change.episode
    if episode is None:
        return
    values: dict[str, object] = {"gone_at": episode.gone_at}
    if change.step is Step.LASTS:
        values = {"told_at": now, "told": episode.told + 1, "gone_at": None}
    elif change.step is Step.OVER:
        values = {"state": EpisodeState.OVER, "over_at": now}
    conn.execute(t.episodes.update().where(E.id == episode.id, E.state == EpisodeState.LASTS).values(values))
