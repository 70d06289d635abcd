"""Sums of weights at checkpoints, so that a range of snapshots is two of them and its edges."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units

revision = "0017"
down_revision = "0016"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VALID = sa.text("state = 'valid'")


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("hotkey", sa.String(length=64), nullable=False),
        sa.Column("netuid", sa.String(length=10), nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in ("block", "last_block")),
        sa.Column("levels", sa.String(), nullable=False),
        *(sa.Column(name, BIG, nullable=False) for name in ("moments", "empty", "falls", "unpriced")),
        sa.Column("grown", Units(), nullable=False),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=False)
            for name in ("ids", "mean_share", "stake_time", "accrual", "seal")
        ),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint("state IN ('valid', 'void')", name=op.f("ck_checkpoints_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
    )
    op.create_index(
        "one_checkpoint",
        "checkpoints",
        ["hotkey", "netuid", "block"],
        unique=True,
        sqlite_where=VALID,
        postgresql_where=VALID,
    )
