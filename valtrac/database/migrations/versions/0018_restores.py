"""Databases that came out of a backup: they pay nobody before they were compared with the chain."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0018"
down_revision = "0017"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "restores",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.CheckConstraint("kind IN ('restored', 'compared')", name=op.f("ck_restores_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_restores")),
    )
