"""What a check says of one thing: whether it is well, and if not, what mends it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """good: leave it; warning: look at it soon; bad: something does not work, or money or record are at risk."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    name: the subject, a point, and a word, the same for ever: `payouts.node`. words: what was found, one sentence.
    fix: what mends it, one sentence; "" where nothing has to be mended.
    """

    name: str
    health: Health
    words: str
    fix: str = ""

    def __post_init__(self) -> None:
        if (self.health is Health.GOOD) is bool(self.fix):
            raise ValueError(f"{self.name}: what is well needs no fix, and everything else needs one")


def good(name: str, words: str) -> Check:
    """It is well."""
    return Check(name, Health.GOOD, words)


def warning(name: str, words: str, fix: str) -> Check:
    """It works, and is better looked at."""
    return Check(name, Health.WARNING, words, fix)


def bad(name: str, words: str, fix: str) -> Check:
    """It does not work, or endangers money or the record."""
    return Check(name, Health.BAD, words, fix)
