"""The validator's take beside each snapshot, for rates before it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("take_raw", sa.Integer(), nullable=True))
