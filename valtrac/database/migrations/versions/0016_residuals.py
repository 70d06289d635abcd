"""Stakes are stored as residuals: no table is another, but a version before could not read what is stored now."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    pass  # rows of the older form are read as they are, for good
