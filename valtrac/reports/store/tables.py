"""What one TAO cost in money, at which time; of two for one time, the later row counts."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Big, Rules, own_id, table
from valtrac.database.types import Utc

prices = table(
    "prices",
    own_id(),
    sa.Column("at", Utc, nullable=False),
    sa.Column("currency", sa.String(10), nullable=False),
    sa.Column("price_nano", Big, nullable=False),
    sa.CheckConstraint("price_nano > 0", name="above_zero"),
    sa.Column("source", sa.String(500), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(append_only=True),
)
sa.Index("ix_prices_currency_at", prices.c.currency, prices.c.at)
