"""Alembic, called as a library: one transaction per upgrade, one process at a time."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from valtrac.database import engine as engines


def upgrade(engine: sa.Engine) -> None:
    """Run what is missing, under the write lock, so that a second process waits and finds it done."""
    with engines.writing(engine) as conn:
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SELECT pg_advisory_xact_lock(7426)")
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
