"""What a skipped block held may be taken up later, and what a manager wanted sent may be left: the legal moves of
operations and dues, which the triggers keep, are more."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """No table changes; the triggers are made anew after every upgrade."""
