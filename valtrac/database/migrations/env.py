"""Alembic's way in: the connection and its transaction are the caller's."""

from alembic import context

from valtrac.database import schema, triggers

context.configure(
    connection=context.config.attributes["connection"], target_metadata=schema.whole(), render_as_batch=True
)
context.run_migrations()
triggers.install(context.config.attributes["connection"])
