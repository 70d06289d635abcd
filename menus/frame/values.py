"""Records for programs."""

from __future__ import annotations

import math
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any


def values(rows: list[Any], *names: str) -> list[dict[str, Any]]:
    """Attributes of objects as plain dictionaries, for JSON."""
    return [{name: getattr(row, name) for name in names} for row in rows]


def plain_values(value: Any, *, text: bool = False) -> Any:
    """A figure as JSON values: times as text, numbers of numpy as numbers, what is not known as null. text: numbers
    that are not whole are text, as amounts are."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, dict):
        return {key: plain_values(item, text=text) for key, item in value.items()}
    if hasattr(value, "tolist"):  # an array, or a number, of numpy
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain_values(item, text=text) for item in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, float):
        return None if not math.isfinite(value) else repr(value) if text else value
    return str(value) if isinstance(value, date) else value
