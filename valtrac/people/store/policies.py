"""Policies over block intervals, and the addresses that the owner vouched for: the only SQL for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.database.engine import genesis_of
from valtrac.people.store import tables as t

P, C, SEEN = t.policy_terms.c, t.confirmations.c, t.swap_sightings.c
_CONFIRMED = sa.select(C.person, C.address, C.at).order_by(C.id)
_SWAPS = sa.select(SEEN.address, SEEN.at).where(SEEN.announced).order_by(SEEN.id)
_LOOKS = sa.select(SEEN.address, SEEN.announced).order_by(SEEN.id)
_PAYOUTS = sa.select(t.payout_terms).order_by(t.payout_terms.c.id)
_REDIRECTS = sa.select(t.policy_terms).where(P.kind == "redirect").order_by(P.id)


def begin(conn: sa.Connection, person: str, kind: str, value: str, block: int, words: str) -> None:
    """From a block on, a policy holds; the one before in the same place must have been ended."""
    conn.execute(
        t.policy_terms.insert().values(
            genesis=genesis_of(conn),
            person=person,
            kind=kind,
            value=value,
            words=words,
            from_block=block,
            created_at=datetime.now(UTC),
        )
    )


def end(conn: sa.Connection, person: str, kind: str, block: int) -> None:
    """End whatever reaches beyond a block; what would only have begun later becomes an empty interval."""
    reaching = sa.or_(P.until_block.is_(None), P.until_block > block)
    for row in conn.execute(sa.select(t.policy_terms).where(P.person == person, P.kind == kind, reaching)).all():
        if row.until_block is None or row.until_block > max(row.from_block, block):
            conn.execute(t.policy_terms.update().where(P.id == row.id).values(until_block=max(row.from_block, block)))


def listed(conn: sa.Connection) -> list[dict[str, Any]]:
    """All policies that ever were in force: person, kind, value, words, from_block, until_block, created_at."""
    return [
        dict(row._mapping)
        for row in conn.execute(sa.select(t.policy_terms).order_by(P.person, P.kind, P.from_block, P.id))
        if row.until_block is None or row.until_block > row.from_block
    ]


def confirm(conn: sa.Connection, person: str, address: str) -> None:
    """Note that the owner vouched for an address of a person."""
    conn.execute(
        t.confirmations.insert().values(genesis=genesis_of(conn), person=person, address=address, at=datetime.now(UTC))
    )


def confirmed(conn: sa.Connection) -> dict[tuple[str, str], datetime]:
    """(person, address) of all that the owner vouched for -> when last."""
    rows = conn.execute(_CONFIRMED)
    return {(row.person, row.address): row.at for row in rows}


def sight_swaps(conn: sa.Connection, looked: Iterable[str], announced: frozenset[str], block: int) -> None:
    """Note what changed since the last look: which of the addresses have a coldkey swap announced at a block."""
    last = _last_looks(conn)
    rows = [
        {
            "genesis": genesis_of(conn),
            "address": address,
            "block": block,
            "announced": address in announced,
            "at": datetime.now(UTC),
        }
        for address in sorted(set(looked))
        if (address in announced) != (address in last and last[address])
    ]
    if rows:
        conn.execute(t.swap_sightings.insert(), rows)


def swaps_seen(conn: sa.Connection) -> dict[str, datetime]:
    """address -> when a swap of its coldkey was last seen to be announced anew, over by now or not."""
    return {row.address: row.at for row in conn.execute(_SWAPS)}


def looks_new(conn: sa.Connection, looked: Iterable[str], announced: frozenset[str]) -> bool:
    """Whether `sight_swaps` would have anything to note."""
    last = _last_looks(conn)
    return any((address in announced) != (address in last and last[address]) for address in looked)


def _last_looks(conn: sa.Connection) -> dict[str, bool]:
    return {row.address: bool(row.announced) for row in conn.execute(_LOOKS)}


@dataclass(frozen=True, slots=True)
class Entered:
    """A place where someone was ever to be paid. at: by this machine's clock; block: from which it holds; change:
    whether he was to be paid elsewhere before."""

    person: str
    address: str
    at: datetime
    block: int
    change: bool


def destinations(conn: sa.Connection, persons: Collection[str] | None = None) -> list[Entered]:
    """Every place where someone was ever to be paid: all, or some people.

    The first payout address of a user is no change; a later one is, and so is every redirection.
    """
    entered: list[Entered] = []
    seen: dict[int, set[str]] = {}
    payouts, redirects = _entered(conn, persons)
    for row in payouts:
        before = seen.setdefault(row.user_id, set())
        change = bool(before - {row.address})
        entered.append(Entered(f"user:{row.user_id}", row.address, row.created_at, row.from_block, change))
        before.add(row.address)
    for row in redirects:
        entered.append(Entered(row.person, row.value, row.created_at, row.from_block, True))
    return entered


def _entered(conn: sa.Connection, persons: Collection[str] | None) -> tuple[list[sa.Row[Any]], list[sa.Row[Any]]]:
    if persons is None:
        return list(conn.execute(_PAYOUTS)), list(conn.execute(_REDIRECTS))
    payouts, redirects, wanted = list[sa.Row[Any]](), list[sa.Row[Any]](), sorted(persons)
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        ids = [int(person.partition(":")[2]) for person in part if person.startswith("user:")]
        payouts += conn.execute(_PAYOUTS.where(t.payout_terms.c.user_id.in_(ids)))
        redirects += conn.execute(_REDIRECTS.where(P.person.in_(part)))
    return payouts, redirects
