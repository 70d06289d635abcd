"""What became of a world."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Played:
    """twice: units paid beyond what was owed; lost: units owed that nobody got; stuck: not settled although every node
    tells the truth again; stolen: units that went to nobody of ours."""

    seed: int
    lies: Counter[str]
    twice: int
    lost: int
    stolen: int
    stuck: str
