"""The figures of a Qtum pool, read from its database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.store import attempts, ledger
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.paydays import net_of
from valtrac.pool.model.states import Booking
from valtrac.pool.store import blocks, book, paydays
from valtrac.reports.model.pool_figures import PoolDay, WeightPoint, days, weights
from valtrac.reports.model.pool_statements import Booked, Paid, PoolStatement, statement_of

MOST_POINTS = 5_000
EVER = datetime(2009, 1, 3, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def by_day(engine: sa.Engine) -> list[PoolDay]:
    """Rewards of each day since the pool began, and what of its payday is in final blocks."""
    with reading(engine) as conn:
        won = blocks.listed(conn, most=1_000_000, won=(Won.DELEGATED, Won.OWN))
        paid = [(each["due_at"], attempts.landed_units(conn, each["batch_id"])) for each in paydays.listed(conn)]
    return days(
        [(block.head.at, block.staker_reward) for block in won if block.won == Won.DELEGATED],
        [(block.head.at, block.staker_reward) for block in won if block.won == Won.OWN],
        paid,
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


@dataclass(frozen=True)
class Figures:
    """What the charts of a pool are drawn from, each read when one first asks for it."""

    engine: sa.Engine

    @cached_property
    def days(self) -> list[PoolDay]:
        """Rewards and payouts by day."""
        return by_day(self.engine)

    @cached_property
    def weights(self) -> list[WeightPoint]:
        """Weights at the newest blocks."""
        return over_time(self.engine)


def statement(engine: sa.Engine, delegate: str) -> PoolStatement:
    """Everything that was booked and paid for one delegate. Raises BadInput where it was never credited."""
    with reading(engine) as conn:
        rows, begun = book.of_delegate(conn, delegate), blocks.beginning(conn)
        fees = {payday["id"]: payday["fee_bps"] for payday in paydays.listed(conn)}
        landed = [row for row in ledger.payments(conn, *EVER) if row["address"] == delegate]
    if not rows or begun is None:
        raise BadInput(f"{plain(delegate, 60)} was never credited here", fix="see: run.py pool delegates")
    booked = [Booked(row["at"], Booking(row["kind"]), row["units"], row["height"], row["words"]) for row in rows]
    paid = [Paid(row["at"], row["amount_satoshi"], row["tx_id"], row["block"]) for row in landed]
    gross = [(-row["units"], fees[row["payday_id"]]) for row in rows if row["kind"] == Booking.PAYDAY]
    fee = sum(units - net_of(units, fee_bps) for units, fee_bps in gross)
    return statement_of(delegate, begun[0], booked, paid, fee)
