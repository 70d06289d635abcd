"""A transaction that was ruled dead and is seen alive is open again: the triggers, made anew, let it."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Nothing but the triggers changes, which are made anew after every migration."""
