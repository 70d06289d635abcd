"""Several transactions of a wallet on their way at once, one a nonce, and the ones that took the place of others."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0014"
down_revision = "0013"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("state IN ('signed', 'sent')")


def upgrade() -> None:
    op.add_column("attempts", sa.Column("lane", BIG, server_default="0", nullable=False))
    op.drop_index("one_unresolved_attempt", table_name="attempts")
    op.create_index(
        "one_unresolved_attempt",
        "attempts",
        ["genesis", "wallet", "lane"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "replacements",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("genesis", sa.String(length=66), nullable=False),
        sa.Column("attempt_id", BIG, nullable=False),
        sa.Column("tx_id", sa.String(length=66), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_replacements_attempt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replacements")),
        sa.UniqueConstraint("tx_id", name=op.f("uq_replacements_tx_id")),
    )
    op.create_index(op.f("ix_replacements_attempt_id"), "replacements", ["attempt_id"], unique=False)
