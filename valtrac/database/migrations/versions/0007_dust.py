"""What a hotkey's total has beyond its stakers' parts, which a runtime rounds down: kept beside each snapshot."""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("dust", Units(), nullable=True))
