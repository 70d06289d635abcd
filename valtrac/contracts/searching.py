"""Searching the trail: by what its events say, and by the transfers that they are about, memos and all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.contracts.model.contracts import milliseconds
from valtrac.contracts.store import audit_events, transfers
from valtrac.contracts.store.audit_events import Event
from valtrac.contracts.store.transfers import Place, RecordedTransfer
from valtrac.database.engine import reading


@dataclass(frozen=True, slots=True)
class Found:
    """An event, and the transfer that it is about: None where it is about none, or about more than one."""

    event: Event
    transfer: RecordedTransfer | None


def search(engine: sa.Engine, *, words: str = "", kind: str = "", limit: int = 50) -> list[Found]:
    """The newest events that hold some words, or are about a transfer that does: in its memo, its accounts, its
    transaction, its place in the chain (`149:0:0`), its encrypted memo or its note. The newest first."""
    with reading(engine) as conn:
        found = {event.id: event for event in audit_events.search(conn, words=words, kind=kind, limit=limit)}
        if words.strip():
            about = transfers.holding(conn, words.strip(), limit=limit)
            places = {each.place for each in about}
            moments = {milliseconds(each.at) for each in about}
            told = audit_events.of_moments(conn, moments, kind=kind)
            found |= {event.id: event for event in told if place(event) in places}
        newest = sorted(found.values(), key=lambda event: -event.id)[:limit]
        known = transfers.at_places(conn, _places(newest))
    return [Found(event, known.get(place(event) or (0, 0, 0))) for event in newest]


def place(event: Event) -> Place | None:
    """Where the transfer of an event stands on the chain."""
    parts = [event.msg.get(name) for name in ("block_num", "trx_idx", "ops_idx")]
    block, trx, op = (part if isinstance(part, int) else None for part in parts)
    return None if block is None or trx is None or op is None else (block, trx, op)


def _places(events: Iterable[Event]) -> set[Place]:
    return {at for event in events if (at := place(event)) is not None}
