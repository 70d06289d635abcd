"""Whether a column of text holds some words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def holds(column: sa.ColumnElement[Any], words: str) -> sa.ColumnElement[bool]:
    """In any case, and as they are: what stands for anything in a pattern stands for itself here."""
    literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{literal}%", escape="\\")
