"""What one TAO cost in money, at which time (of two for one time, the later row counts), and what another program paid
before, as its own log has it: for statements alone, since no ledger of this one answers for it."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.database.columns import Address, Big, Rules, own_id, table
from valtrac.database.types import Units, Utc

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

old_payments = table(
    "old_payments",
    own_id(),
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("address", Address, nullable=False),
    sa.Column("amount", Units, nullable=False),
    sa.Column("from_block", Big, nullable=False),
    sa.Column("to_block", Big, nullable=False),
    sa.Column("at", Utc, nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", Utc, nullable=False),
    rules=Rules(append_only=True),
)
