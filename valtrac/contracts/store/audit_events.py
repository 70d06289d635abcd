"""The trail of events: append-only JSON, with the fields that StakeBTS's receipts had."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.model.contracts import Due, milliseconds
from valtrac.contracts.store import tables as t
from valtrac.core.hashing import canonical
from valtrac.core.money import BTS, decimal_text
from valtrac.database.engine import genesis_of
from valtrac.database.holding import holds

E = t.events.c


@dataclass(frozen=True, slots=True)
class Event:
    """One event. nonce: the start of the agreement that it is about, in ms since 1970, 0 where it is about none;
    now: when it was written, in ms; msg: its particulars."""

    id: int
    nonce: int
    now: int
    kind: str
    name: str
    msg: dict[str, Any]


def add(conn: sa.Connection, kind: str, msg: Mapping[str, Any], *, nonce: int = 0, name: str = "") -> None:
    """Append an event."""
    conn.execute(
        t.events.insert().values(
            genesis=genesis_of(conn),
            nonce=nonce,
            now=milliseconds(datetime.now(UTC)),
            kind=kind,
            name=name[:80],
            msg=canonical(dict(msg)),
        )
    )


def paid(conn: sa.Connection, due: Due) -> None:
    """Append that a due is paid and irreversible."""
    msg = {
        "type": due.type,
        "number": due.number,
        "to": due.name,
        "amount": decimal_text(due.units, BTS.decimals),
        "memo": due.memo,
        "block": due.block,
        "tx": due.tx_id,
        "no": due.id,
    }
    add(conn, "paid", msg, nonce=due.nonce, name=due.name)


IMPORTED = "stakebts"


def imported(conn: sa.Connection) -> set[tuple[int, int, str]]:
    """(nonce, now, text) of the receipts that were brought over."""
    rows = conn.execute(sa.select(E.nonce, E.now, E.msg).where(E.kind == IMPORTED))
    return {(row.nonce, row.now, json.loads(row.msg)["receipt"]) for row in rows}


def bring(conn: sa.Connection, nonce: int, now: int, text: str) -> None:
    """Append a receipt of the program before, with its own times."""
    row = {"genesis": genesis_of(conn), "nonce": nonce, "now": now, "kind": IMPORTED, "name": ""}
    conn.execute(t.events.insert().values(**row, msg=canonical({"receipt": text})))


def search(
    conn: sa.Connection, *, words: str = "", kind: str = "", nonce: int | None = None, limit: int = 200
) -> list[Event]:
    """The newest events that hold some words (in their kind, name or particulars, in any case), newest first."""
    chosen = sa.select(t.events).order_by(E.id.desc()).limit(limit)
    if words:
        as_json = json.dumps(words)[1:-1]  # particulars are stored as JSON, in which some letters are written otherwise
        chosen = chosen.where(
            sa.or_(*(holds(column, words) for column in (E.kind, E.name)), holds(E.msg, words), holds(E.msg, as_json))
        )
    if kind:
        chosen = chosen.where(E.kind == kind)
    if nonce is not None:
        chosen = chosen.where(E.nonce == nonce)
    return [Event(row.id, row.nonce, row.now, row.kind, row.name, json.loads(row.msg)) for row in conn.execute(chosen)]


def of_moments(conn: sa.Connection, nonces: Iterable[int], *, kind: str = "") -> list[Event]:
    """The events about what happened at some moments (ms since 1970), of one kind or of all."""
    wanted, found = sorted(nonces), list[Event]()
    for start in range(0, len(wanted), 500):
        chosen = sa.select(t.events).where(E.nonce.in_(wanted[start : start + 500]))
        rows = conn.execute(chosen.where(E.kind == kind) if kind else chosen)
        found += [Event(row.id, row.nonce, row.now, row.kind, row.name, json.loads(row.msg)) for row in rows]
    return found


def last(conn: sa.Connection, kind: str) -> Event | None:
    """The newest event of a kind."""
    newest = search(conn, kind=kind, limit=1)
    return newest[0] if newest else None


def since(conn: sa.Connection, now_ms: int, kinds: Iterable[str]) -> list[Event]:
    """The events of some kinds that were written since a moment (ms since 1970), the oldest first."""
    chosen = sa.select(t.events).where(E.now >= now_ms, E.kind.in_(tuple(kinds))).order_by(E.id)
    return [Event(row.id, row.nonce, row.now, row.kind, row.name, json.loads(row.msg)) for row in conn.execute(chosen)]
