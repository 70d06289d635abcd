"""How much there is of stake contracts, for the first screen: nothing heavy is loaded here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from valtrac.database.counts import ask


@dataclass(frozen=True, slots=True)
class Counts:
    """How many stake contracts run, transfers wait for the owner's word, and payments have to be made by hand."""

    running: int = 0
    waiting: int = 0
    delinquent: int = 0


def counts(url: str | Path) -> Counts | None:
    """What there is; None for a database that is not SQLite, is not there yet or cannot be read."""
    answers = ask(
        url,
        "SELECT COUNT(*) FROM dues WHERE type = 'principal' AND state IN ('pending', 'processing', 'delinquent')",
        "SELECT COUNT(*) FROM operations WHERE state IN ('parked', 'unruled')",
        "SELECT COUNT(*) FROM dues WHERE state = 'delinquent'",
    )
    return None if answers is None else Counts(*(rows[0][0] for rows in answers))


@dataclass(frozen=True, slots=True)
class Coming:
    """The next payments due. at: of the first, UTC as text; payments: within a day of it."""

    at: str
    payments: int


def coming(url: str | Path) -> Coming | None:
    """What is due next; None where nothing is, or nothing is known."""
    answers = ask(
        url,
        "SELECT first, COUNT(*) FROM (SELECT MIN(due_at) AS first FROM dues WHERE state = 'pending') "
        "JOIN dues ON state = 'pending' AND julianday(due_at) < julianday(first) + 1",
    )
    if answers is None or answers[0][0][0] is None:
        return None
    ((first, payments),) = answers[0]
    return Coming(str(first), int(payments))
