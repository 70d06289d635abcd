"""How much there is of payouts, for the first screen: nothing heavy is loaded here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valtrac.database.counts import ask


@dataclass(frozen=True, slots=True)
class Counts:
    """People in force, the newest snapshot's block, batches by state; tied: whether to a chain already."""

    users: int = 0
    last_block: int | None = None
    batches: tuple[tuple[str, int], ...] = ()
    tied: bool = False

    def count(self, state: str) -> int:
        """How many batches are in a state."""
        return dict(self.batches).get(state, 0)


NEWEST = "SELECT MAX(block) FROM snapshots"
COUNTING = "SELECT MAX(block) FROM snapshots WHERE id NOT IN (SELECT snapshot_id FROM snapshot_rulings)"


def counts(url: str | Path) -> Counts | None:
    """What there is; None for a database that is not SQLite, is not there yet or cannot be read."""
    # a database that was not migrated yet has no rulings
    answers = _asked(url, COUNTING) or _asked(url, NEWEST)
    if answers is None:
        return None
    ((users,),), ((last,),), states, ((tied,),) = answers
    return Counts(users, last, tuple(states), bool(tied))


def _asked(url: str | Path, newest: str) -> list[list[Any]] | None:
    return ask(
        url,
        "SELECT COUNT(*) FROM user_terms WHERE until_block IS NULL",
        newest,
        "SELECT state, COUNT(*) FROM batches GROUP BY state",
        "SELECT COUNT(*) FROM identity",
    )
