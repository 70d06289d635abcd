"""Keeps as they are known, how they were seen, and how far the factory's events were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.errors import Refused
from valtrac.core.keeps import CreatedKeep, DepositReading
from valtrac.database.engine import genesis_of, insert
from valtrac.keeps.model.old_cache import CachedKeep
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import tables as t

K, S, C = t.keeps.c, t.sightings.c, t.cursor.c
FINAL = [int(state) for state in DepositState if state.final]
USUAL = {"courtesy": 125, "severe": 110, "holder": "", "left_s": 0, "called_at": 0, "bond": 0}


@dataclass(frozen=True, slots=True)
class Keep:
    """A keep as it was read last. state, percent: None before it was read; percent also where the price is unknown.
    lot: satoshi; bond: wei, of all members; holder: of the deposit's token; called_at: of the courtesy call, seconds
    since 1970, 0 where there is none; confirmed: whether the factory told of it, and not the old bot's cache alone."""

    id: int
    keep: str
    deposit: str
    block: int
    members: tuple[str, ...]
    confirmed: bool
    lot: int
    state: DepositState | None
    percent: int | None
    bond: int
    courtesy: int
    severe: int
    holder: str
    left_s: int
    called_at: int
    seen_block: int

    def own_members(self, operators: Sequence[str]) -> int:
        """How many of its members are ours; all of them for a service that watches everybody's keeps."""
        return len(self.members) if "all" in operators else sum(member in operators for member in self.members)


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a keep was seen when it had changed. at: the block's time."""

    block: int
    at: datetime
    state: DepositState
    percent: int | None


def add(conn: sa.Connection, created: Iterable[CreatedKeep]) -> int:
    """Store keeps that the factory told of; one that was known from the old bot's cache is confirmed. How many are
    new. Raises Refused where that cache told of another deposit or keep with it."""
    new = 0
    for each in created:
        row = {"keep": each.keep, "deposit": each.deposit, "block": each.block, "members": ",".join(each.members)}
        values = {**row, **USUAL, "lot": 0, "confirmed": True, "seen_block": 0, "found_at": datetime.now(UTC)}
        added = insert(conn, t.keeps).values(values).on_conflict_do_nothing().returning(K.id)
        if conn.execute(added).scalar() is not None:
            new += 1
            continue
        told = {"block": each.block, "members": row["members"], "confirmed": True}
        same = t.keeps.update().where(K.keep == each.keep, K.deposit == each.deposit).values(told)
        if conn.execute(same).rowcount == 0:
            raise Refused(
                f"keep {each.keep} has deposit {each.deposit}, and the old cache said otherwise",
                why="what was taken over from keeps.json is false there",
                fix="begin with a database of its own (VALTRAC_HOME), and leave keeps.json out",
            )
    return new


def hint(conn: sa.Connection, cached: Iterable[CachedKeep]) -> int:
    """Store keeps of the old bot's cache, as a hint: the factory has to confirm each. How many are new."""
    new = 0
    for each in cached:
        values = {
            **USUAL,
            "keep": each.keep,
            "deposit": each.deposit,
            "block": each.block,
            "members": ",".join(each.members),
            "confirmed": False,
            "lot": each.lot,
            "deposit_state": None if each.state is None else int(each.state),
            "percent": each.percent,
            "seen_block": 0,
            "found_at": datetime.now(UTC),
        }
        added = insert(conn, t.keeps).values(values).on_conflict_do_nothing().returning(K.id)
        new += conn.execute(added).scalar() is not None
    return new


def listed(conn: sa.Connection, *, over: bool = False) -> list[Keep]:
    """Every keep by block; without those that are over, unless asked for."""
    chosen = sa.select(t.keeps).order_by(K.block, K.id)
    if not over:
        chosen = chosen.where(sa.or_(K.deposit_state.is_(None), K.deposit_state.not_in(FINAL)))
    return [_keep(row) for row in conn.execute(chosen)]


def of_deposits(conn: sa.Connection, deposits: Iterable[str]) -> dict[str, Keep]:
    """deposit -> its keep, of those that are known."""
    wanted, known = sorted(set(deposits)), dict[str, Keep]()
    for start in range(0, len(wanted), 500):
        rows = conn.execute(sa.select(t.keeps).where(K.deposit.in_(wanted[start : start + 500])))
        known |= {row.deposit: _keep(row) for row in rows}
    return known


def named(conn: sa.Connection, address: str) -> list[Keep]:
    """The keeps whose own address, or whose deposit's, begins like that."""
    begun = address.lower().replace("%", "").replace("_", "") + "%"
    rows = conn.execute(sa.select(t.keeps).where(sa.or_(K.keep.like(begun), K.deposit.like(begun))).limit(20))
    return [_keep(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Seen:
    """How a keep is at a block. percent: None where its price is unknown."""

    keep: Keep
    state: int
    percent: int | None

    @property
    def changed(self) -> bool:
        """Whether that is another state or percentage than before."""
        return (self.keep.state, self.keep.percent) != (self.state, self.percent)


def see(conn: sa.Connection, seen: Sequence[Seen], head: Head) -> list[Seen]:
    """Note how keeps are at a block; those that have changed, which is kept for good."""
    changed = [each for each in seen if each.changed]
    ids = [each.keep.id for each in seen]
    for start in range(0, len(ids), 500):
        conn.execute(t.keeps.update().where(K.id.in_(ids[start : start + 500])).values(seen_block=head.number))
    if changed:
        now = datetime.now(UTC)
        conn.execute(
            _CHANGED, [{"its": each.keep.id, "now_state": each.state, "now_percent": each.percent} for each in changed]
        )
        common = {"block": head.number, "chain_at": head.at, "at": now}
        rows = [{"keep_id": e.keep.id, "deposit_state": e.state, "percent": e.percent, **common} for e in changed]
        conn.execute(t.sightings.insert(), rows)
    return changed


_CHANGED = (
    t.keeps.update()
    .where(K.id == sa.bindparam("its"))
    .values(deposit_state=sa.bindparam("now_state"), percent=sa.bindparam("now_percent"))
)
_READ = ("lot", "bond", "courtesy", "severe", "holder", "left_s")
_DECIDED_BY = (
    t.keeps.update()
    .where(K.id == sa.bindparam("its"))
    .values({name: sa.bindparam(f"now_{name}") for name in (*_READ, "called_at")})
)


def read(conn: sa.Connection, readings: Iterable[tuple[Keep, DepositReading, int]]) -> None:
    """Note all that is decided by, of keeps. The last of each: when its courtesy call was made, 0 without one."""
    rows = [
        {"its": keep.id, "now_called_at": called, **{f"now_{name}": getattr(reading, name) for name in _READ}}
        for keep, reading, called in readings
    ]
    if rows:
        conn.execute(_DECIDED_BY, rows)


def history(conn: sa.Connection, keep_id: int, *, most: int = 1_000) -> list[Sighting]:
    """How a keep was seen, the oldest first, the newest of them."""
    rows = conn.execute(sa.select(t.sightings).where(S.keep_id == keep_id).order_by(S.id.desc()).limit(most)).all()
    return [Sighting(row.block, row.chain_at, DepositState(row.deposit_state), row.percent) for row in reversed(rows)]


def read_to(conn: sa.Connection) -> tuple[int, int, str] | None:
    """(first block, last block, its hash) of the events that were read; None before any."""
    row = conn.execute(sa.select(t.cursor)).first()
    return None if row is None else (row.from_block, row.to_block, row.to_hash)


def note_read(conn: sa.Connection, first: int, head: Head) -> None:
    """Note that the events of every block from the first up to this one were read."""
    values: Mapping[str, Any] = {"to_block": head.number, "to_hash": head.hash}
    if conn.execute(t.cursor.update().values(values)).rowcount == 0:
        conn.execute(t.cursor.insert().values(id=1, genesis=genesis_of(conn), from_block=first, **values))


def _keep(row: sa.Row[Any]) -> Keep:
    state = None if row.deposit_state is None else DepositState(row.deposit_state)
    return Keep(
        row.id,
        row.keep,
        row.deposit,
        row.block,
        tuple(row.members.split(",")),
        bool(row.confirmed),
        row.lot,
        state,
        row.percent,
        row.bond,
        row.courtesy,
        row.severe,
        row.holder,
        row.left_s,
        row.called_at,
        row.seen_block,
    )
