"""${message}"""

import sqlalchemy as sa
from alembic import op

from valtrac.database.types import Units, Utc

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
