"""Dues as plain values, for tests of decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from valtrac.contracts.model import contracts
from valtrac.contracts.model.contracts import Contract, Due
from valtrac.contracts.model.states import DueState

START = datetime(2026, 10, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
_DUE = Due(
    1,
    1,
    None,
    None,
    contracts.REWARD,
    1,
    "1.2.5",
    "ann",
    0,
    "",
    START,
    START,
    DueState.PENDING,
    None,
    None,
    "",
    None,
    "",
)


def due(number: int, units: int, **changes: object) -> Due:
    """A reward that is due at the start and pending, but for what is changed."""
    return replace(_DUE, id=number, units=units, **changes)  # type: ignore[arg-type]


def contract(number: int = 1, **changes: object) -> Contract:
    """A contract of three months, begun in block 10."""
    held = Contract(
        number, "10:0:0", "chain", "1.2.5", "ann", 25_000 * contracts.WHOLE, 3, 800, 2_000, 1, START, 10, 0, 0, None
    )
    return replace(held, **changes)  # type: ignore[arg-type]
