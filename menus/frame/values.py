"""Records for programs."""

from __future__ import annotations

from typing import Any


def values(rows: list[Any], *names: str) -> list[dict[str, Any]]:
    """Attributes of objects as plain dictionaries, for JSON."""
    return [{name: getattr(row, name) for name in names} for row in rows]
