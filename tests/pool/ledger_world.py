"""A pool's database without a node: blocks that were looked at, what they brought, and paydays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.money import QTUM
from valtrac.core.staking import OwnedCoin
from valtrac.database.engine import claim_identity, writing
from valtrac.database.opening import open_engine
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.shares import shared
from valtrac.pool.model.states import Booking
from valtrac.pool.store import blocks, book
from valtrac.pool.store.blocks import Looked, Share
from valtrac.pool.store.book import POOL, Entry

COIN = 10**8
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST = 6_300_000
STAKER = "QPooLGGp2FodAN1PpqvB7iLNK7kD3gSeko"
NODE = {
    "balance": 891_530_000_000,
    "stake": 157_450_000_000,
    "weight": 7_161_665_982_933,
    "delegated_weight": 60_782_006_576_365,
    "net_weight": 710_952_093_708_961,
    "delegations": 3,
    "connections": 10,
    "staking": True,
    "expected_s": 1_339,
    "pool_balance": 400_000_000,
}


def opened(folder: Path) -> sa.Engine:
    engine = open_engine(folder / "pool.sqlite")
    with writing(engine) as conn:
        claim_identity(conn, "0" * 64, "devnet", QTUM)
    return engine


def looked(number: int, won: Won = Won.DELEGATED, reward: int = 400_000_000, **changes: Any) -> Looked:
    head = Head(FIRST + number, f"{number:064x}", f"{number - 1:064x}", NOON + timedelta(seconds=32 * number))
    block = Looked(head, won, STAKER, "QDelegate", f"{number:064x}:0", reward, 0, 100, "", NODE, 160)
    return replace(block, seen_at=NOON + timedelta(minutes=number), **changes)


def coins(satoshi: int, tag: str = "a") -> tuple[OwnedCoin, ...]:
    return (OwnedCoin(f"{tag * 64}:0", satoshi, FIRST - 3_000),)


def credited(engine: sa.Engine, block: Looked, weights: dict[str, int]) -> int:
    """Store a block with its reward as the monitor does; the number of the block."""
    parts = shared(block.staker_reward, weights)
    values = {
        "reward": block.staker_reward,
        "remainder": parts.remainder,
        "weight": sum(weights.values()),
        "least_coin": 25 * COIN,
        "maturity": 2_000,
        "rule": "ppmu",
        "required_fee": 100,
        "nodes": 1,
    }
    rows = [Share(who, 100, weight, parts.each.get(who, 0), coins(weight, who[-1])) for who, weight in weights.items()]
    with writing(engine) as conn:
        block_id = blocks.add(conn, block)
        blocks.add_reward(conn, block_id, values, rows)
        entries = [Entry(who, Booking.SHARE, units) for who, units in parts.each.items()]
        left = Booking.REMAINDER if parts.each else Booking.UNSHARED
        book.add(conn, [*entries, Entry(POOL, left, parts.remainder)], block_id=block_id)
    return block_id
