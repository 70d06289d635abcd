"""What keeps a payment as quick after years as at first: how far the log was read, and the terms of one person."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Utc

revision = "0020"
down_revision = "0019"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ASKED = (
    ("user_terms", "user_id"),
    ("payout_terms", "user_id"),
    ("address_terms", "address"),
    ("policy_terms", "person"),
)


def upgrade() -> None:
    op.create_table(
        "log_marks",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("listed", sa.String(length=64), nullable=False),
        sa.Column("checked", sa.Boolean(), nullable=False),
        sa.Column("at", Utc(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_marks")),
        sa.UniqueConstraint("path", name=op.f("uq_log_marks_path")),
    )
    for table, column in ASKED:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
