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


@dataclass(frozen=True, slots=True)
class Recorded:
    """How whole the record of stakes is. newest: its last snapshot, UTC as text; missing: snapshots that lack in the
    blocks looked at; unpaid: blocks with a snapshot since the last payout's end, None where nothing was paid yet."""

    newest: str
    missing: int
    unpaid: int | None


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


def recorded(url: str | Path, *, interval: int, blocks: int) -> Recorded | None:
    """The record of stakes over its last `blocks`, a snapshot wanted every `interval`; None where nothing is known."""
    answers = ask(
        url,
        "SELECT MAX(at) FROM snapshots WHERE block = (SELECT MAX(block) FROM snapshots)",
        "SELECT COALESCE(SUM(step / :interval - 1), 0) FROM ("
        "SELECT block - LAG(block) OVER (PARTITION BY hotkey, netuid ORDER BY block) AS step FROM snapshots "
        "WHERE block > (SELECT MAX(block) FROM snapshots) - :blocks) WHERE step >= 2 * :interval",
        "SELECT MAX(to_block) FROM claimed_ranges WHERE state = 'held'",
        "SELECT COUNT(DISTINCT block) FROM snapshots "
        "WHERE block > (SELECT MAX(to_block) FROM claimed_ranges WHERE state = 'held')",
        interval=interval,
        blocks=blocks,
    )
    if answers is None or answers[0][0][0] is None:
        return None
    ((newest,),), ((missing,),), ((paid,),), ((unpaid,),) = answers
    return Recorded(str(newest), int(missing), None if paid is None else int(unpaid))
