"""Blocks that were looked at, their rewards, and the coins that these were shared by."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.staking import OwnedCoin
from valtrac.database.engine import genesis_of, insert
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.states import BlockState
from valtrac.pool.store import tables as t

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
B, R, S = t.blocks.c, t.rewards.c, t.shares.c


@dataclass(frozen=True, slots=True)
class Looked:
    """A block as it was looked at. node: how the node did then, as it is shown; late_s: seconds after its own time."""

    head: Head
    won: Won
    staker: str
    delegate: str
    kernel: str
    staker_reward: int
    delegate_reward: int
    percent: int | None
    words: str
    node: Mapping[str, Any]
    late_s: int
    id: int = 0
    state: BlockState = BlockState.HELD
    seen_at: datetime = NEVER
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """One delegate's part of a reward, and the coins that it has it by."""

    delegate: str
    fee: int
    weight: int
    units: int
    coins: tuple[OwnedCoin, ...] = ()


def add(conn: sa.Connection, block: Looked) -> int:
    """Store a block; its number. The indexes allow one that is held at a height."""
    row = {
        "genesis": genesis_of(conn),
        "height": block.head.number,
        "hash": block.head.hash,
        "parent_hash": block.head.parent_hash,
        "at": block.head.at,
        "won": block.won,
        "staker": block.staker,
        "delegate": block.delegate,
        "kernel": block.kernel,
        "staker_reward": block.staker_reward,
        "delegate_reward": block.delegate_reward,
        "percent": block.percent,
        "words": block.words[:500],
        "node": json.dumps(block.node, sort_keys=True),
        "late_s": block.late_s,
        "state": BlockState.HELD,
        "seen_at": block.seen_at,
    }
    return int(conn.execute(t.blocks.insert().values(row).returning(B.id)).scalar_one())


def add_reward(conn: sa.Connection, block_id: int, values: Mapping[str, Any], shares: Sequence[Share]) -> int:
    """Store what a block brought and how it was shared; the number of the reward. Equal coins are stored once."""
    row = {"genesis": genesis_of(conn), "block_id": block_id, "at": datetime.now(UTC), **values}
    reward_id = int(conn.execute(t.rewards.insert().values(row).returning(R.id)).scalar_one())
    sets = [listed_coins(share.coins) for share in shares]
    _keep(conn, dict(sets))
    rows = [
        {
            "reward_id": reward_id,
            "delegate": share.delegate,
            "place": place,
            "fee": share.fee,
            "weight": share.weight,
            "units": share.units,
            "coin_set": hash_,
        }
        for place, (share, (hash_, _)) in enumerate(zip(shares, sets, strict=True))
    ]
    if rows:
        conn.execute(t.shares.insert(), rows)
    return reward_id


def listed_coins(coins: Iterable[OwnedCoin]) -> tuple[str, bytes]:
    """(hash, text) of coins in one order."""
    text = json.dumps(sorted([coin.outpoint, coin.satoshi, coin.height] for coin in coins), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest(), text.encode()


def _keep(conn: sa.Connection, sets: Mapping[str, bytes]) -> None:
    """Store those of the sets that are not there yet: few delegates' coins change between two rewards."""
    hashes, known = sorted(sets), set[str]()
    for start in range(0, len(hashes), 500):
        wanted = t.coin_sets.c.hash.in_(hashes[start : start + 500])
        known |= set(conn.execute(sa.select(t.coin_sets.c.hash).where(wanted)).scalars())
    fresh = [{"hash": hash_, "coins": zlib.compress(sets[hash_])} for hash_ in hashes if hash_ not in known]
    if fresh:
        conn.execute(insert(conn, t.coin_sets).on_conflict_do_nothing(), fresh)


def coins_of(conn: sa.Connection, coin_set: str) -> tuple[OwnedCoin, ...]:
    """The coins of a set. ValueError where they are not those that the set is called by."""
    blob = conn.execute(sa.select(t.coin_sets.c.coins).where(t.coin_sets.c.hash == coin_set)).scalar_one()
    text = zlib.decompress(blob)
    if hashlib.sha256(text).hexdigest() != coin_set:
        raise ValueError("these coins were changed by other hands")
    return tuple(OwnedCoin(*row) for row in json.loads(text))


def newest(conn: sa.Connection) -> Looked | None:
    """The highest block that is held."""
    row = conn.execute(sa.select(t.blocks).where(B.state == BlockState.HELD).order_by(B.height.desc()).limit(1)).first()
    return None if row is None else _looked(row)


def at_height(conn: sa.Connection, height: int) -> Looked | None:
    """The block that is held at a height."""
    row = conn.execute(sa.select(t.blocks).where(B.state == BlockState.HELD, B.height == height)).first()
    return None if row is None else _looked(row)


def undo(conn: sa.Connection, block_id: int, at: datetime) -> bool:
    """Mark a block that the chain has dropped; False where another process did."""
    changed = t.blocks.update().where(B.id == block_id, B.state == BlockState.HELD)
    return conn.execute(changed.values(state=BlockState.UNDONE, undone_at=at)).rowcount == 1


def kernels(conn: sa.Connection, first: int, last: int) -> dict[int, str]:
    """height -> the coin that won it, of the blocks held from first to last."""
    rows = conn.execute(
        sa.select(B.height, B.kernel).where(B.state == BlockState.HELD, B.height >= first, B.height <= last)
    )
    return {row.height: row.kernel for row in rows}


def listed(conn: sa.Connection, *, most: int, won: Sequence[Won] = tuple(Won), undone: bool = False) -> list[Looked]:
    """The newest blocks, the newest first."""
    chosen = sa.select(t.blocks).where(B.won.in_(won)).order_by(B.height.desc(), B.id.desc()).limit(most)
    if not undone:
        chosen = chosen.where(B.state == BlockState.HELD)
    return [_looked(row) for row in conn.execute(chosen)]


def of_days(conn: sa.Connection, first: datetime, last: datetime) -> list[Looked]:
    """The blocks that were seen from first to before last, in order, those that were undone since too."""
    chosen = sa.select(t.blocks).where(B.seen_at >= first, B.seen_at < last)
    return [_looked(row) for row in conn.execute(chosen.order_by(B.id))]


def won_since(conn: sa.Connection, since: datetime) -> list[Looked]:
    """The blocks of ours that were looked at, or undone, since then."""
    lately = sa.or_(B.seen_at >= since, B.undone_at >= since)
    chosen = sa.select(t.blocks).where(B.won.in_((Won.DELEGATED, Won.OWN)), lately).order_by(B.id)
    return [_looked(row) for row in conn.execute(chosen)]


def rewards(conn: sa.Connection, *, most: int | None = None, height: int | None = None) -> list[dict[str, Any]]:
    """The newest rewards with their blocks (height, hash, block_at, state, delegate), the newest first; of one height
    alone where it is given."""
    chosen = (
        sa.select(
            t.rewards,
            B.height,
            B.hash,
            B.at.label("block_at"),
            B.state,
            B.delegate,
            B.won,
            B.words,
        )
        .join(t.blocks, B.id == R.block_id)
        .order_by(R.id.desc())
        .limit(most)
    )
    if height is not None:
        chosen = chosen.where(B.height == height)
    return [dict(row._mapping) for row in conn.execute(chosen)]


def reward_at(conn: sa.Connection, height: int) -> dict[str, Any] | None:
    """The reward of the block held at a height, or of the last one there that was undone."""
    mine = rewards(conn, height=height)
    held = [reward for reward in mine if reward["state"] == BlockState.HELD]
    return next(iter(held or mine), None)


def reward_of(conn: sa.Connection, block_id: int) -> dict[str, Any] | None:
    """What a block brought; None where that was nothing to share."""
    row = conn.execute(sa.select(t.rewards).where(R.block_id == block_id)).first()
    return None if row is None else dict(row._mapping)


def shares_of(conn: sa.Connection, reward_id: int) -> list[dict[str, Any]]:
    """Who had which part of a reward, in order: delegate, fee, weight, units, coin_set."""
    rows = conn.execute(sa.select(t.shares).where(S.reward_id == reward_id).order_by(S.place))
    return [dict(row._mapping) for row in rows]


def begin(conn: sa.Connection, staker: str, after: int, words: str, at: datetime) -> bool:
    """Note where the pool begins; False, and nothing happens, where it did already."""
    row = {"id": 1, "genesis": genesis_of(conn), "staker": staker, "after": after, "words": words[:200]}
    return conn.execute(insert(conn, t.beginnings).values({**row, "at": at}).on_conflict_do_nothing()).rowcount == 1


def beginning(conn: sa.Connection) -> tuple[str, int, datetime] | None:
    """(the super staker, the block after which rewards are counted, when that was noted)."""
    row = conn.execute(sa.select(t.beginnings)).first()
    return None if row is None else (row.staker, row.after, row.at)


def _looked(row: Any) -> Looked:
    return Looked(
        head=Head(row.height, row.hash, row.parent_hash, row.at),
        won=Won(row.won),
        staker=row.staker,
        delegate=row.delegate,
        kernel=row.kernel,
        staker_reward=row.staker_reward,
        delegate_reward=row.delegate_reward,
        percent=row.percent,
        words=row.words,
        node=json.loads(row.node),
        late_s=row.late_s,
        id=row.id,
        state=BlockState(row.state),
        seen_at=row.seen_at,
        undone_at=row.undone_at,
    )
