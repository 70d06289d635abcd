"""All rows in one list: each contract, its payments, what a stop paid for it, and payments that no contract owes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.contracts import overview
from valtrac.contracts.model.contracts import AGREEMENT, PENALTY, PRINCIPAL, REWARD, STOPPED, Due
from valtrac.contracts.model.statuses import Status, is_late, status_of
from valtrac.contracts.overview import Standing
from valtrac.contracts.store import contracts
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading

ORDER = {AGREEMENT: 0, REWARD: 1, PRINCIPAL: 2, PENALTY: 3, STOPPED: 4}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row. A contract itself, where due is None; else a payment: of a contract, or of none (standing None)."""

    standing: Standing | None
    due: Due | None

    @property
    def at(self) -> datetime:
        """When it happened, or will: a contract's beginning; when a payment was dealt with, else when it is due."""
        if self.due is not None:
            return self.due.processed_at or self.due.due_at
        assert self.standing is not None
        return self.standing.contract.start_at

    @property
    def status(self) -> str:
        """The word for how it stands."""
        if self.due is not None:
            return status_of(self.due)
        assert self.standing is not None
        return self.standing.state


def entries(engine: sa.Engine, *, client: str | None = None) -> list[Entry]:
    """Everything there is, or what one client has: contracts by number, each before its payments; then the payments of
    no contract, such as refunds. A payment for several stopped contracts stands with each. Raises BadInput."""
    with reading(engine) as conn:
        dues = contracts.dues(conn)
    whose = None if client is None else client.strip()
    mine = [due for due in dues if whose is None or whose in (due.name, due.account)]
    if whose is not None and not mine:
        raise BadInput(f"nothing was ever owed to a client called {plain(whose, 60)}", fix="see: run.py contracts rows")
    standings = [each for each in overview.listed(engine) if whose is None or whose in _names(each)]
    notes = _grouped(mine, lambda due: due.parent_id)
    of_contract = _grouped(mine, lambda due: due.contract_id)
    listed, placed = list[Entry](), set[int]()
    for standing in sorted(standings, key=lambda each: each.contract.id):
        rows = list(of_contract.get(standing.contract.id, ()))
        rows += [standing.stop.due] if standing.stop is not None else []
        ordered = [note for row in sorted(rows, key=place) for note in (row, *notes.get(row.id, ()))]
        listed += [Entry(standing, None), *(Entry(standing, row) for row in ordered)]
        placed |= {row.id for row in ordered}
    return [*listed, *(Entry(None, due) for due in mine if due.id not in placed)]


def place(due: Due) -> tuple[datetime, int]:
    """Where a row stands among those of its contract."""
    return due.due_at, ORDER.get(due.type, len(ORDER))


def around(listed: Iterable[Entry], now: datetime, hours: int) -> list[Entry]:
    """What happened in so many hours before a moment, what falls due in so many after it, and what is late, by time."""
    span = timedelta(hours=hours)
    near = {
        _identity(entry): entry
        for entry in listed
        if abs(entry.at - now) <= span or (entry.due is not None and _presses(entry.due, now))
    }
    return sorted(near.values(), key=lambda entry: (entry.at, entry.due is not None))


def in_status(listed: Sequence[Entry], word: str) -> list[Entry]:
    """The payments of one status. Raises BadInput, listing those there are."""
    wanted = next((status for status in Status if status == word.strip().lower()), None)
    if wanted is None:
        raise BadInput(f"status: {plain(word, 40)!r} is none", fix="choose one", problems=[*Status])
    return [entry for entry in listed if entry.due is not None and entry.status == wanted]


def nearest(listed: Sequence[Entry], now: datetime, most: int) -> list[Entry]:
    """No more than so many rows, in their order: first what is late or to be paid by hand, then what is next to now."""
    if len(listed) <= most:
        return list(listed)

    def far(number: int) -> tuple[bool, timedelta]:
        entry = listed[number]
        return not (entry.due is not None and _presses(entry.due, now)), abs(entry.at - now)

    return [listed[number] for number in sorted(sorted(range(len(listed)), key=far)[: max(most, 1)])]


def _presses(due: Due, now: datetime) -> bool:
    return is_late(due, now) or status_of(due) in (Status.DELINQUENT, Status.UNDER_WAY, Status.HANDED_OVER)


def _identity(entry: Entry) -> tuple[str, int]:
    if entry.due is not None:
        return "due", entry.due.id
    assert entry.standing is not None
    return "contract", entry.standing.contract.id


def _names(standing: Standing) -> tuple[str, str]:
    return standing.contract.name, standing.contract.account


def _grouped(dues: Iterable[Due], key: Callable[[Due], int | None]) -> dict[int, list[Due]]:
    """key -> the payments that have it, in their order; those without one are left out."""
    groups: dict[int, list[Due]] = {}
    for due in dues:
        if (number := key(due)) is not None:
            groups.setdefault(number, []).append(due)
    return groups
