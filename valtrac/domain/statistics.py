"""Figures for people to look at: floats here are for drawing, never for money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StakePoint:
    """One snapshot in a chart. others, owner: TAO (or alpha), rounded for drawing; heads: nominators."""

    at: datetime
    block: int
    others: float
    owner: float
    heads: int
