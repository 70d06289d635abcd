"""The caps of an unattended payer: without an end to them it is not given the wallet's password."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.core.errors import Refused
from valtrac.core.setting_types import LARGEST_SQL_INTEGER
from valtrac.database.engine import reading
from valtrac.pool.settings import COIN, PoolSettings
from valtrac.pool.store import blocks, book

ROOM = 5  # times what is owed now, or what a day has brought


def refuse_without_end(engine: sa.Engine, settings: PoolSettings) -> None:
    """Raise Refused, with caps that fit what is owed, while one of the two has no end. A rehearsal needs none."""
    if settings.rehearsing_pool:
        return
    caps = {"VALTRAC_POOL_CAP_PAYMENT": settings.pool_cap_payment, "VALTRAC_POOL_CAP_DAY": settings.pool_cap_day}
    lacking = [name for name, units in caps.items() if units >= LARGEST_SQL_INTEGER]
    if not lacking:
        return
    with reading(engine) as conn:
        owed = [units for units in book.balances(conn).values() if units > 0]
        brought = sum(reward["reward"] for reward in blocks.rewards(conn, most=100))
    each, day = max(owed, default=0), max(sum(owed), brought)
    fits = {"VALTRAC_POOL_CAP_PAYMENT": _with_room(each), "VALTRAC_POOL_CAP_DAY": _with_room(day)}
    raise Refused(
        f"{' and '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} no value",
        why="whoever could make this payer believe something could empty the wallet at once",
        fix="write into .env, then unlock again: " + ", ".join(f"{name}={fits[name]}" for name in lacking),
    )


def _with_room(units: int) -> int:
    """Whole QTUM that let through some times as much."""
    return int(max(1, -(-units * ROOM // COIN)))
