"""The figures of a Qtum pool, read from its database."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.engine import reading
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.store import blocks, paydays
from valtrac.reports.model.pool_figures import PoolDay, WeightPoint, days, weights

MOST_POINTS = 5_000


def by_day(engine: sa.Engine) -> list[PoolDay]:
    """Rewards and payouts of each day since the pool began."""
    with reading(engine) as conn:
        won = blocks.listed(conn, most=1_000_000, won=(Won.DELEGATED, Won.OWN))
        kept = paydays.listed(conn)
    return days(
        [(block.head.at, block.staker_reward) for block in won if block.won == Won.DELEGATED],
        [(block.head.at, block.staker_reward) for block in won if block.won == Won.OWN],
        [(payday["due_at"], payday["paid"]) for payday in kept],
    )


def over_time(engine: sa.Engine) -> list[WeightPoint]:
    """Weights at the newest blocks that were looked at, in their order."""
    with reading(engine) as conn:
        looked = list(reversed(blocks.listed(conn, most=MOST_POINTS)))
    return weights(
        [
            (block.head.at, block.node["weight"], block.node["delegated_weight"], block.node["net_weight"])
            for block in looked
        ]
    )
