"""What only the owner knows: a snapshot that does not count, what was paid before this ledger, who may lend."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "snapshot_rulings",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("snapshot_id", BIG, nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["snapshot_id"], ["snapshots.id"], name=op.f("fk_snapshot_rulings_snapshot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshot_rulings")),
        sa.UniqueConstraint("snapshot_id", name=op.f("uq_snapshot_rulings_snapshot_id")),
    )
    op.create_table(
        "paid_before",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paid_before")),
    )
    op.create_index(op.f("ix_paid_before_hotkey"), "paid_before", ["hotkey"], unique=False)
    op.create_table(
        "loan_references",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_references")),
        sa.UniqueConstraint("reference", name=op.f("uq_loan_references_reference")),
    )
