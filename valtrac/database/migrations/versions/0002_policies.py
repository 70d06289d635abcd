"""Policies, addresses that the owner vouched for, coldkey swaps that were seen, and why an unusual batch was approved."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "policy_terms",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=100), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("from_block", BIG, nullable=False),
        sa.Column("until_block", BIG, nullable=True),
        sa.Column("created_at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_terms")),
    )
    condition = sa.text("until_block IS NULL")
    op.create_index(
        "one_policy",
        "policy_terms",
        ["person", "kind"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )
    op.create_table(
        "confirmations",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
    )
    op.create_index(op.f("ix_confirmations_person"), "confirmations", ["person"], unique=False)
    op.create_table(
        "swap_sightings",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("announced", sa.Boolean(), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap_sightings")),
    )
    op.create_index(op.f("ix_swap_sightings_address"), "swap_sightings", ["address"], unique=False)
    op.add_column("batches", sa.Column("despite", sa.String(length=500), server_default="", nullable=False))
