"""What a process remembers of the record, so that storing a snapshot asks the database for little.

Only what was committed is remembered beyond a transaction, and only what never changes: the number of an address, and
the readings of a snapshot under the digest of all of them. Whoever forgets it, or never knew, reads it again.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import sqlalchemy as sa

from valtrac.database.engine import insert, once_committed
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.residuals import Frame, Ids

_AT_ONCE = 500
Place: TypeAlias = tuple[str, int]  # hotkey, netuid


@dataclass(frozen=True, slots=True)
class Tip:
    """The newest snapshot of a hotkey and subnet: its number, its digest, its readings."""

    id: int
    digest: bytes
    frame: Frame


@dataclass(frozen=True, slots=True)
class Order:
    """A roster, its numbers rising, and the places in it in the order of its addresses, and these."""

    roster: Ids
    places: Ids
    names: list[str]


@dataclass(slots=True)
class Memory:
    """numbers: address -> its small number, as committed; fresh: those met in this transaction. tips: the newest
    snapshot of each place. in_order: its last roster. no_roster: the number of the empty one."""

    numbers: dict[str, int] = field(default_factory=dict)
    fresh: dict[str, int] = field(default_factory=dict)
    tips: dict[Place, Tip] = field(default_factory=dict)
    in_order: dict[Place, Order] = field(default_factory=dict)
    no_roster: int | None = None


_COMMITTED: WeakKeyDictionary[sa.Engine, Memory] = WeakKeyDictionary()
_KEY = "valtrac_remembers"


def of(conn: sa.Connection) -> Memory:
    """What is remembered within this transaction; the process remembers it once it is committed."""
    given = once_committed(conn)
    if given is None:
        return Memory()
    if _KEY not in given.memo:
        known = _COMMITTED.setdefault(conn.engine, Memory())
        memory = replace(known, fresh={}, tips=dict(known.tips), in_order=dict(known.in_order))
        given.memo[_KEY] = memory
        given.acts.append(lambda: _keep(known, memory))
    remembered: Memory = given.memo[_KEY]
    return remembered


def _keep(known: Memory, memory: Memory) -> None:
    known.numbers.update(memory.fresh)
    known.tips.update(memory.tips)
    known.in_order.update(memory.in_order)
    known.no_roster = memory.no_roster


def numbers(conn: sa.Connection, memory: Memory, addresses: Iterable[str]) -> Ids:
    """The small number of each address, given one where it has none."""
    wanted = list(addresses)
    found = list(map(memory.numbers.get, wanted))
    if None in found:
        missing = list(_places_of_none(found))
        asked = [wanted[place] for place in missing if wanted[place] not in memory.fresh]
        memory.fresh |= _lookup(conn, asked)
        new = sorted(address for address in asked if address not in memory.fresh)
        if new:
            placed = insert(conn, t.keys).on_conflict_do_nothing(index_elements=["address"])
            conn.execute(placed, [{"address": address} for address in new])
            memory.fresh |= _lookup(conn, new)
        for place in missing:
            found[place] = memory.fresh[wanted[place]]
    return np.array(found, dtype=np.int64)


def _places_of_none(found: list[int | None]) -> Iterator[int]:
    place = -1
    for _ in range(found.count(None)):
        place = found.index(None, place + 1)
        yield place


def ordered(memory: Memory, place: Place, ids: Ids, addresses: Sequence[str]) -> Order:
    """The roster of a place in the order of its addresses: sorted anew only where many have changed.

    ids: rising; addresses: of these.
    """
    before = memory.in_order.get(place)
    if before is None or not np.array_equal(before.roster, ids):
        before = (before and _carried(before, ids, addresses)) or _sorted(ids, addresses)
        memory.in_order[place] = before
    return before


def _sorted(ids: Ids, addresses: Sequence[str]) -> Order:
    order = sorted(range(len(addresses)), key=addresses.__getitem__)
    return Order(ids, np.array(order, dtype=np.int64), [addresses[at] for at in order])


def _carried(before: Order, ids: Ids, addresses: Sequence[str]) -> Order | None:
    joined = np.flatnonzero(~np.isin(ids, before.roster, assume_unique=True)).tolist()
    if len(joined) > len(ids) // 8:
        return None
    ordered_ids = before.roster[before.places]
    stays = np.isin(ordered_ids, ids, assume_unique=True)
    names, numbers = before.names, ordered_ids[stays]
    names = list(names) if stays.all() else list(compress(names, stays.tolist()))
    for name, number in sorted((addresses[at], ids[at]) for at in joined):
        place = bisect(names, name)
        names.insert(place, name)
        numbers = np.insert(numbers, place, number)
    return Order(ids, np.searchsorted(ids, numbers), names)


def _lookup(conn: sa.Connection, addresses: Sequence[str]) -> dict[str, int]:
    ids_by_address: dict[str, int] = {}
    for start in range(0, len(addresses), _AT_ONCE):
        rows = conn.execute(sa.select(t.keys).where(t.keys.c.address.in_(addresses[start : start + _AT_ONCE])))
        ids_by_address |= {row.address: row.id for row in rows}
    return ids_by_address
