"""Payments that another program made before, as its own log has them."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units, Utc

revision = "0019"
down_revision = "0018"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "old_payments",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("amount", Units(), nullable=False),
        sa.Column("from_block", BIG, nullable=False),
        sa.Column("to_block", BIG, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_payments")),
        sa.UniqueConstraint("digest", name=op.f("uq_old_payments_digest")),
    )
    op.create_index(op.f("ix_old_payments_at"), "old_payments", ["at"])
