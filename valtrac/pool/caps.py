"""The caps of the payer of a pool, and values that fit what is owed."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.engine import reading
from valtrac.payments import endless_caps
from valtrac.pool.settings import COIN, PoolSettings
from valtrac.pool.store import blocks, book

EACH, DAILY = "VALTRAC_POOL_CAP_PAYMENT", "VALTRAC_POOL_CAP_DAY"
ROOM = 5  # times what is owed now, or what a day has brought


def refuse_without_end(engine: sa.Engine, settings: PoolSettings) -> None:
    """Raise Refused, with caps that fit what is owed, while one of the two has no end. A rehearsal needs none."""
    if settings.rehearsing_pool:
        return
    caps = {EACH: settings.pool_cap_payment, DAILY: settings.pool_cap_day}

    def fitting() -> dict[str, int]:
        with reading(engine) as conn:
            owed = [units for units in book.balances(conn).values() if units > 0]
            brought = sum(reward["reward"] for reward in blocks.rewards(conn, most=100))
        return {EACH: _with_room(max(owed, default=0)), DAILY: _with_room(max(sum(owed), brought))}

    endless_caps.refuse_without_end(caps, fitting, wallet="wallet")


def _with_room(units: int) -> int:
    """Whole QTUM that let through some times as much."""
    return int(max(1, -(-units * ROOM // COIN)))
