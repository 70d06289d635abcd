"""Sums of weights at any block: from the checkpoint before it, and the snapshots from there on."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa

from valtrac.snapshots.model import running, seals
from valtrac.snapshots.model.running import LIMBS, Reading, Running
from valtrac.snapshots.model.stakes import METHODS, Method
from valtrac.snapshots.model.states import CheckpointState
from valtrac.snapshots.store import rulings
from valtrac.snapshots.store import tables as t
from valtrac.snapshots.store.frames import walk
from valtrac.snapshots.store.packing import pack, pack_ids, unpack, unpack_ids

S, K = t.snapshots.c, t.checkpoints.c
SPAN = 540  # snapshots from one checkpoint to the next
AT_ONCE = 2  # checkpoints that are caught up with at a time, where an older version left none
_COLUMNS: Mapping[Method, sa.Column[bytes]] = {
    "mean-share": K.mean_share,
    "stake-time": K.stake_time,
    "accrual": K.accrual,
}
# built once: building a statement takes longer than running it
_BEYOND = sa.select(sa.func.max(K.block)).where(
    K.hotkey == sa.bindparam("of"),
    K.netuid.in_((sa.bindparam("on"), "all")),
    K.state == sa.literal_column(f"'{CheckpointState.VALID}'"),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose weights: of a hotkey on one subnet, or (netuid None) on all of them, valued in TAO."""

    hotkey: str
    netuid: int | None

    @property
    def text(self) -> str:
        """The subnet as checkpoints name it."""
        return "all" if self.netuid is None else str(self.netuid)

    @property
    def valued(self) -> bool:
        """Whether stakes are valued in TAO."""
        return self.netuid is None

    def where(self) -> list[sa.ColumnElement[bool]]:
        """The condition on snapshots."""
        return [S.hotkey == self.hotkey, *([] if self.netuid is None else [S.netuid == self.netuid])]


def readings(conn: sa.Connection, scope: Scope, from_block: int, until_block: int) -> Iterator[Reading]:
    """What counts at each block with from_block <= block < until_block, in columns."""
    where = [*scope.where(), S.block >= from_block, S.block < until_block]
    rows = walk(conn, where, S.owner_stake, S.price_rao, S.digest)
    for block, group in groupby(rows, key=lambda row: int(row[0].block)):
        subnets = list(group)
        levels = {row.netuid: row.owner_stake for row, _ in subnets}
        members = tuple((row.netuid, row.digest) for row, _ in subnets)
        if not scope.valued:
            ((row, frame),) = subnets
            yield Reading(block, frame.ids, frame.stakes[None], levels, {row.netuid: 1}, members=members)
            continue
        prices = {row.netuid: row.price_rao or 0 for row, _ in subnets}
        priced = all(row.price_rao is not None for row, _ in subnets)
        ids, stakes = running.valued_stakes(
            [(frame.ids, frame.stakes, prices[row.netuid]) for row, frame in subnets] if priced else []
        )
        yield Reading(block, ids, stakes, levels, prices, priced, members)


def at(conn: sa.Connection, scope: Scope, blocks: Sequence[int], methods: Collection[Method]) -> Iterator[Running]:
    """The sums over all snapshots before each of these blocks, which rise."""
    state, position = running.begun(methods, valued=scope.valued), 0
    for block in blocks:
        nearest = _nearest(conn, scope, block)
        if nearest is not None and nearest.block > position:
            state, position = _loaded(conn, scope, nearest.id, methods), nearest.block
        for reading in readings(conn, scope, position, block):
            state.feed(reading)
        position = block
        yield state.copy()


def seal_at(conn: sa.Connection, scope: Scope, block: int) -> seals.Seal:
    """The seal over all snapshots of one subnet before a block."""
    nearest = _nearest(conn, scope, block)
    begin, seal = (0, seals.nothing()) if nearest is None else (nearest.block, np.frombuffer(nearest.seal, dtype="<u2"))
    within = [*scope.where(), S.block >= begin, S.block < block, rulings.counts()]
    rows = conn.execute(sa.select(S.netuid, S.block, S.digest).where(*within))
    return sum((seals.of_one(row.netuid, row.block, row.digest) for row in rows), start=seal)


def seal(conn: sa.Connection, scope: Scope, from_block: int, to_block: int) -> str:
    """64 hex digits over the snapshots with from_block <= block <= to_block: which they are, and what is in them."""
    netuids = [scope.netuid] if scope.netuid is not None else _netuids(conn, scope.hotkey)
    sealed = seals.nothing()
    for netuid in netuids:
        part = Scope(scope.hotkey, netuid)
        sealed = sealed + seal_at(conn, part, to_block + 1) - seal_at(conn, part, from_block)
    return seals.text(sealed)


def void_after(conn: sa.Connection, hotkey: str, netuids: Collection[int], block: int) -> None:
    """Say that the sums beyond a block hold no more: a snapshot of it came in late, or does not count any more."""
    beyond = max((conn.execute(_BEYOND, {"of": hotkey, "on": str(on)}).scalar() or 0 for on in netuids), default=0)
    if beyond <= block:
        return
    stale = [K.hotkey == hotkey, K.netuid.in_([*map(str, netuids), "all"]), K.block > block]
    stale.append(K.state == CheckpointState.VALID)
    conn.execute(t.checkpoints.update().where(*stale).values(state=CheckpointState.VOID))


def keep_up(conn: sa.Connection, hotkey: str, netuid: int, block: int) -> None:
    """Write the checkpoints that are due before a block, for one subnet and, where there are several, for all.

    A few at a time: where an older version left a long record without any, it is caught up with little by little.
    """
    _keep_up(conn, Scope(hotkey, netuid), block)
    if len(_netuids(conn, hotkey)) > 1:
        _keep_up(conn, Scope(hotkey, None), block)


def _keep_up(conn: sa.Connection, scope: Scope, block: int) -> None:
    nearest = _nearest(conn, scope, block)
    begin = 0 if nearest is None else nearest.block
    within = [*scope.where(), S.block >= begin, S.block < block, rulings.counts()]
    chosen = sa.select(S.block).where(*within).distinct().order_by(S.block).limit(SPAN * AT_ONCE + 1)
    blocks = [*conn.execute(chosen).scalars(), block]
    due = blocks[SPAN::SPAN]  # the first block after each full span
    if not due:
        return
    state = running.begun(METHODS, valued=scope.valued)
    if nearest is not None:
        state = _loaded(conn, scope, nearest.id, METHODS)
    for until in due:
        _go_on(conn, scope, state, begin, until)
        _store(conn, scope, until, state)
        begin = until


def scopes(conn: sa.Connection) -> list[Scope]:
    """Whose sums are kept at checkpoints."""
    chosen = sa.select(K.hotkey, K.netuid).where(K.state == CheckpointState.VALID).distinct()
    rows = conn.execute(chosen.order_by(K.hotkey, K.netuid))
    return [Scope(row.hotkey, None if row.netuid == "all" else int(row.netuid)) for row in rows]


def compared(conn: sa.Connection, scope: Scope) -> Iterator[tuple[int, str]]:
    """(block, what is wrong or "") of each valid checkpoint, summed up from the snapshots again."""
    here = [K.hotkey == scope.hotkey, K.netuid == scope.text, K.state == CheckpointState.VALID]
    rows = conn.execute(sa.select(K.id, K.block).where(*here).order_by(K.block)).all()
    state, position = running.begun(METHODS, valued=scope.valued), 0
    for row in rows:
        _go_on(conn, scope, state, position, row.block)
        position = row.block
        kept = _loaded(conn, scope, row.id, METHODS)
        yield row.block, "" if kept.equals(state) else "the sum of weights at this block is not that of the snapshots"


def _go_on(conn: sa.Connection, scope: Scope, state: Running, from_block: int, until_block: int) -> None:
    for reading in readings(conn, scope, from_block, until_block):
        state.feed(reading)
        for netuid, digest in reading.members:
            state.seal = state.seal + seals.of_one(netuid, reading.block, digest)


def _store(conn: sa.Connection, scope: Scope, block: int, state: Running) -> None:
    order = np.argsort(state.ids)
    row: dict[str, Any] = {
        "hotkey": scope.hotkey,
        "netuid": scope.text,
        "block": block,
        "last_block": state.last,
        "levels": json.dumps({str(netuid): str(level) for netuid, level in sorted(state.levels.items())}),
        "moments": state.moments,
        "empty": state.empty,
        "falls": state.falls,
        "unpriced": state.unpriced,
        "grown": state.grown,
        "ids": pack_ids(state.ids[order].tolist()),
        "seal": state.seal.astype("<u2").tobytes(),
        "state": CheckpointState.VALID,
    }
    row |= {_COLUMNS[method].name: pack(state.columns[method][:, order].ravel()) for method in METHODS}
    conn.execute(t.checkpoints.insert().values(row))


def _nearest(conn: sa.Connection, scope: Scope, block: int) -> Any:
    """The last checkpoint at or before a block: its number, its block, its seal."""
    here = [K.hotkey == scope.hotkey, K.netuid == scope.text, K.block <= block, K.state == CheckpointState.VALID]
    return conn.execute(sa.select(K.id, K.block, K.seal).where(*here).order_by(K.block.desc()).limit(1)).first()


def _loaded(conn: sa.Connection, scope: Scope, number: int, methods: Collection[Method]) -> Running:
    """The state that a checkpoint holds, with the sums of these methods."""
    told = (K.last_block, K.levels, K.moments, K.empty, K.falls, K.unpriced, K.grown, K.ids, K.seal)
    wanted = [_COLUMNS[method] for method in methods]
    row = conn.execute(sa.select(*told, *wanted).where(K.id == number)).one()
    columns = {
        method: unpack(getattr(row, _COLUMNS[method].name)).reshape(LIMBS[method][scope.valued], -1)
        for method in methods
    }
    state = Running(
        scope.valued,
        columns,
        last=row.last_block,
        levels={int(netuid): int(level) for netuid, level in json.loads(row.levels).items()},
        moments=row.moments,
        empty=row.empty,
        falls=row.falls,
        unpriced=row.unpriced,
        grown=row.grown,
        seal=np.frombuffer(row.seal, dtype="<u2"),
    )
    return running.restored(state, np.array(unpack_ids(row.ids), dtype=np.int64))


def _netuids(conn: sa.Connection, hotkey: str) -> list[int]:
    chosen = sa.select(S.netuid).where(S.hotkey == hotkey).distinct().order_by(S.netuid)
    return list(conn.execute(chosen).scalars())
