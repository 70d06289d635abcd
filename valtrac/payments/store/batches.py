"""Batches and their lines."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.core.hashing import canonical
from valtrac.database.engine import genesis_of, insert_many
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import BatchState, LineState
from valtrac.payments.store import tables as t

B, L = t.batches.c, t.lines.c
_PLANNED = ("name", "person", "address", "from_pool", "released", "fee_share", "amount")
_BY_ID = sa.select(t.batches).where(B.id == sa.bindparam("batch_id"))
_OWED_AFTER = (
    sa.select(t.lines)
    .where(L.batch_id == sa.bindparam("batch_id"), L.state == LineState.OWED, L.position > sa.bindparam("position"))
    .order_by(L.position)
    .limit(sa.bindparam("most"))
)
_UNFINISHED = (
    sa.select(L.id)
    .where(L.batch_id == sa.bindparam("batch_id"), L.state.not_in((LineState.PAID, LineState.VOID)))
    .limit(1)
)
_BY_IDS = sa.select(t.batches).where(B.id.in_(sa.bindparam("batch_ids", expanding=True)))


def insert_draft(
    conn: sa.Connection,
    *,
    producer: str,
    wallet: str,
    total: int,
    fee: int,
    spec: Mapping[str, Any],
    plan: Mapping[str, Any],
    inputs_hash: str,
    lines: Iterable[Mapping[str, Any]],
) -> int:
    """Store a draft with its lines in one go; return its number. It never changes afterwards.

    lines: name, person, address, from_pool, released, fee_share, amount, and memo where there is one.
    """
    row = {
        "genesis": genesis_of(conn),
        "producer": producer,
        "state": BatchState.DRAFT,
        "wallet": wallet,
        "total": total,
        "fee": fee,
        "spec": canonical(spec),
        "plan": canonical(plan),
        "inputs_hash": inputs_hash,
        "created_at": datetime.now(UTC),
    }
    batch_id = int(conn.execute(t.batches.insert().values(row).returning(B.id)).scalar_one())
    planned = list(lines)
    columns: dict[str, list[Any]] = {name: [line[name] for line in planned] for name in _PLANNED}
    columns["memo"] = [line.get("memo", "") for line in planned]
    columns["batch_id"], columns["state"] = [batch_id] * len(planned), [str(LineState.PLANNED)] * len(planned)
    columns["position"] = list(range(len(planned)))
    insert_many(conn, t.lines, columns)
    return batch_id


def get(conn: sa.Connection, batch_id: int) -> Batch:
    """A batch by number. Raises BadInput when there is none."""
    row = conn.execute(_BY_ID, {"batch_id": batch_id}).first()
    if row is None:
        raise BadInput(f"there is no batch #{batch_id}", fix="look at the list of batches")
    return _batch(row)


def listed(conn: sa.Connection, states: Iterable[BatchState] = (), *, limit: int | None = None) -> list[Batch]:
    """Batches, the newest first; of some states, or all; no more than `limit`."""
    chosen = sa.select(t.batches).order_by(B.id.desc()).limit(limit)
    if wanted := list(states):
        chosen = chosen.where(B.state.in_(wanted))
    return [_batch(row) for row in conn.execute(chosen)]


def of_ids(conn: sa.Connection, batch_ids: Iterable[int]) -> dict[int, Batch]:
    """Batches by their numbers, of those that there are."""
    wanted, by_id = sorted(set(batch_ids)), dict[int, Batch]()
    for start in range(0, len(wanted), 500):
        rows = conn.execute(_BY_IDS, {"batch_ids": wanted[start : start + 500]})
        by_id |= {row.id: _batch(row) for row in rows}
    return by_id


def owed_by_batch(conn: sa.Connection, wallet: str) -> dict[int, int]:
    """batch -> units that it still has to pay from a wallet."""
    rows = conn.execute(
        sa.select(L.batch_id, L.amount)
        .join(t.batches, B.id == L.batch_id)
        .where(L.state.in_((LineState.OWED, LineState.CHUNKED)), B.wallet == wallet)
    )
    owed: dict[int, int] = {}
    for row in rows:
        owed[row.batch_id] = owed.get(row.batch_id, 0) + row.amount
    return owed


def lines_of(conn: sa.Connection, batch_id: int, *states: LineState) -> list[BatchLine]:
    """The lines of a batch in order; in some states, or all."""
    return [line_of(row) for row in conn.execute(_lines(states), {"batch_id": batch_id})]


@functools.cache
def _lines(states: tuple[LineState, ...]) -> sa.Select[Any]:
    chosen = sa.select(t.lines).where(L.batch_id == sa.bindparam("batch_id")).order_by(L.position)
    return chosen.where(L.state.in_(states)) if states else chosen


def owed_after(conn: sa.Connection, batch_id: int, position: int, most: int) -> list[BatchLine]:
    """The next lines of a batch that are owed, behind a place in it, in order."""
    asked = {"batch_id": batch_id, "position": position, "most": most}
    return [line_of(row) for row in conn.execute(_OWED_AFTER, asked)]


def unfinished(conn: sa.Connection, batch_id: int) -> bool:
    """Whether a line of a batch is neither paid nor set aside."""
    return conn.execute(_UNFINISHED, {"batch_id": batch_id}).first() is not None


def line(conn: sa.Connection, line_id: int) -> BatchLine:
    """One line by number."""
    return line_of(conn.execute(sa.select(t.lines).where(L.id == line_id)).one())


def set_state(conn: sa.Connection, batch_id: int, from_state: BatchState, to_state: BatchState, **columns: Any) -> None:
    """Compare-and-set of a batch's state. Raises Refused when it is not in `from_state` any more."""
    done = conn.execute(
        t.batches.update().where(B.id == batch_id, B.state == from_state).values(state=to_state, **columns)
    )
    if done.rowcount != 1:
        raise Refused(
            f"batch #{batch_id} is {get(conn, batch_id).state}, not {from_state}",
            why="it was moved on before, by you or in another window",
            fix="see where it stands, then go on from there",
        )


def move_lines(conn: sa.Connection, line_ids: Iterable[int], from_state: LineState, to_state: LineState) -> None:
    """Compare-and-set of lines, all or none. Raises Refused when one is elsewhere."""
    ids = list(line_ids)
    moved = 0
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        moved += conn.execute(
            t.lines.update().where(L.id.in_(some), L.state == from_state).values(state=to_state)
        ).rowcount
    if moved != len(ids):
        raise Refused(
            "some of these payments are already on their way",
            why="another window or process took them",
            fix="look at the batch again",
        )


def _batch(row: sa.Row[Any]) -> Batch:
    values = dict(row._mapping)
    values |= {"spec": json.loads(values["spec"]), "plan": _Read(values["plan"])}
    return Batch(**{**values, "state": BatchState(values["state"])})


class _Read(Mapping[str, Any]):
    """A plan, read when somebody looks into it: the door asks for batches at every step, and looks into none."""

    def __init__(self, text: str) -> None:
        self._text = text

    @functools.cached_property
    def _values(self) -> Mapping[str, Any]:
        values: Mapping[str, Any] = json.loads(self._text)
        return values

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def line_of(row: sa.Row[Any]) -> BatchLine:
    """A line from its row."""
    values = dict(row._mapping)
    return BatchLine(**{**values, "state": LineState(values["state"])})
