"""Who decides what is final on a chain: pinned once, followed from then on, replaced on the owner's word."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "authority_sets",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("follows", BIG, nullable=False),
        sa.Column("block", BIG, nullable=False),
        sa.Column("block_hash", sa.String(length=66), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("weights", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("proven_block", BIG, nullable=False),
        sa.Column("proven_hash", sa.String(length=66), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.CheckConstraint(
            "origin IN ('one node', 'two nodes', 'followed', 'owner', 'forced')", name=op.f("ck_authority_sets_origin")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authority_sets")),
        sa.UniqueConstraint("genesis", "follows", name="authority_set_place"),
    )
