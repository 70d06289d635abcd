"""What one TAO cost in money, at which time."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "prices",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.Column("currency", sa.String(length=10), nullable=False),
        sa.Column("price_nano", BIG, nullable=False),
        sa.Column("source", sa.String(length=500), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.CheckConstraint("price_nano > 0", name=op.f("ck_prices_above_zero")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
    )
    op.create_index("ix_prices_currency_at", "prices", ["currency", "at"], unique=False)
