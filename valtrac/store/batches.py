"""Batches, their lines and the snapshots that they claim."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.domain.batches import Batch, BatchLine, canonical
from valtrac.errors import BadInput, Refused
from valtrac.store import tables as t
from valtrac.store.engine import genesis_of

B, L, C = t.batches.c, t.lines.c, t.claims.c


def insert_draft(conn: sa.Connection, *, values: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> int:
    """Store a draft with its lines in one go; return its number. It never changes afterwards."""
    row = {
        **values,
        "genesis": genesis_of(conn),
        "state": "draft",
        "created_at": datetime.now(UTC),
        "spec": canonical(values["spec"]),
        "plan": canonical(values["plan"]),
    }
    batch_id = int(conn.execute(t.batches.insert().values(row).returning(B.id)).scalar_one())
    rows = [
        {**line, "batch_id": batch_id, "position": position, "state": "planned"} for position, line in enumerate(lines)
    ]
    if rows:
        conn.execute(t.lines.insert(), rows)
    return batch_id


def get(conn: sa.Connection, batch_id: int) -> Batch:
    """A batch by number. Raises BadInput when there is none."""
    row = conn.execute(sa.select(t.batches).where(B.id == batch_id)).first()
    if row is None:
        raise BadInput(f"there is no batch #{batch_id}", "", "list them with: run.py payout list")
    return _batch(row)


def listed(conn: sa.Connection, states: Iterable[str] = (), *, limit: int | None = None) -> list[Batch]:
    """Batches, the newest first; of some states, or all; no more than `limit`."""
    chosen = sa.select(t.batches).order_by(B.id.desc()).limit(limit)
    if wanted := list(states):
        chosen = chosen.where(B.state.in_(wanted))
    return [_batch(row) for row in conn.execute(chosen)]


def before(conn: sa.Connection, batch: Batch, limit: int) -> list[Batch]:
    """The approved batches that a batch is like (hotkey, subnet, payees), the newest first, without itself."""
    chosen = sa.select(t.batches).where(
        B.hotkey == batch.hotkey,
        B.netuid == batch.netuid,
        B.id != batch.id,
        B.state.in_(("approved", "sending", "settled")),
    )
    found: list[Batch] = []
    for row in conn.execute(chosen.order_by(B.approved_at.desc(), B.id.desc()).limit(limit * 4)):
        other = _batch(row)
        if other.spec["by"] == batch.spec["by"] and len(found) < limit:
            found.append(other)
    return found


def owed_by_batch(conn: sa.Connection, wallet: str) -> dict[int, int]:
    """batch -> rao that it still has to pay from a wallet."""
    rows = conn.execute(
        sa.select(L.batch_id, L.amount)
        .join(t.batches, B.id == L.batch_id)
        .where(L.state.in_(("owed", "chunked")), B.wallet == wallet)
    )
    found: dict[int, int] = {}
    for row in rows:
        found[row.batch_id] = found.get(row.batch_id, 0) + row.amount
    return found


def lines_of(conn: sa.Connection, batch_id: int, *states: str) -> list[BatchLine]:
    """The lines of a batch in order; in some states, or all."""
    chosen = sa.select(t.lines).where(L.batch_id == batch_id).order_by(L.position)
    if states:
        chosen = chosen.where(L.state.in_(states))
    return [BatchLine(**row._mapping) for row in conn.execute(chosen)]


def line(conn: sa.Connection, line_id: int) -> BatchLine:
    """One line by number."""
    row = conn.execute(sa.select(t.lines).where(L.id == line_id)).one()
    return BatchLine(**row._mapping)


def move(conn: sa.Connection, batch_id: int, from_state: str, to_state: str, **columns: Any) -> None:
    """Compare-and-set of a batch's state. Raises Refused when it is not in `from_state` any more."""
    done = conn.execute(
        t.batches.update().where(B.id == batch_id, B.state == from_state).values(state=to_state, **columns)
    )
    if done.rowcount != 1:
        raise Refused(
            f"batch #{batch_id} is {get(conn, batch_id).state}, not {from_state}",
            "another window or process moved it on",
            f"look again: run.py payout show {batch_id}",
        )


def move_lines(conn: sa.Connection, line_ids: Iterable[int], from_state: str, to_state: str) -> None:
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
            "another window or process took them",
            "look again: run.py payout list",
        )


def claim(conn: sa.Connection, batch: Batch, places: Iterable[tuple[int, int]], overlap_reason: str) -> None:
    """Claim the snapshots (netuid, block) that a batch pays for.

    Raises Refused naming a batch whose range meets this one's, unless a reason was given in words: then
    what both pay for is marked as such. Behind this stands the index `one_batch_per_snapshot`.
    """
    overlapping = overlaps(conn, batch.hotkey, batch.netuid, batch.from_block, batch.to_block, but=batch.id)
    if overlapping and not overlap_reason:
        other = overlapping[0]
        raise Refused(
            f"batch #{other.id} already pays for blocks {other.from_block} to {other.to_block}",
            f"this one pays for blocks {batch.from_block} to {batch.to_block}",
            'choose a later range, or say why both shall be paid: --allow-overlap "REASON"',
        )
    wanted = sorted(places)
    held = sa.select(C.netuid, C.block).where(
        C.hotkey == batch.hotkey, C.state == "held", C.block.between(batch.from_block, batch.to_block)
    )
    taken = {(row.netuid, row.block) for row in conn.execute(held)}
    rows = [
        {
            "genesis": batch.genesis,
            "hotkey": batch.hotkey,
            "netuid": netuid,
            "block": block,
            "batch_id": batch.id,
            "state": "overlap" if (netuid, block) in taken else "held",
        }
        for netuid, block in wanted
    ]
    if rows:
        conn.execute(t.claims.insert(), rows)


def overlaps(
    conn: sa.Connection, hotkey: str, netuid: str, from_block: int, to_block: int, *, but: int | None = None
) -> list[Batch]:
    """The batches approved and not voided whose blocks meet this range, of the same hotkey and subnet, newest first."""
    meets = [
        B.state.in_(("approved", "sending", "settled")),
        B.hotkey == hotkey,
        B.from_block <= to_block,
        B.to_block >= from_block,
    ]
    if netuid != "all":
        meets.append(B.netuid.in_((netuid, "all")))
    if but is not None:
        meets.append(B.id != but)
    return [_batch(row) for row in conn.execute(sa.select(t.batches).where(*meets).order_by(B.id.desc()))]


def release_claims(conn: sa.Connection, batch_id: int) -> None:
    """Give the snapshots of a voided batch free for another."""
    conn.execute(t.claims.update().where(C.batch_id == batch_id, C.state != "void").values(state="void"))


def last_paid_block(conn: sa.Connection, hotkey: str, netuid: str) -> int | None:
    """The last block of the batches approved and not voided that touch this hotkey and subnet."""
    touching = [
        B.hotkey == hotkey,
        B.state.in_(("approved", "sending", "settled")),
    ]
    if netuid != "all":
        touching.append(B.netuid.in_((netuid, "all")))
    found: int | None = conn.execute(sa.select(sa.func.max(B.to_block)).where(*touching)).scalar()
    return found


def _batch(row: sa.Row[Any]) -> Batch:
    values = dict(row._mapping)
    return Batch(**{**values, "spec": json.loads(values["spec"]), "plan": json.loads(values["plan"])})
