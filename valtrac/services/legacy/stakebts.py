"""Coming over from StakeBTS: its list of contracts as text, and its SQLite database. A look first, then all or nothing.

What was paid stays paid, what was pending is pending; what its database leaves open (a row that was being paid when
it died) is handed to the owner as delinquent, because it may have been paid. Importing the same again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from valtrac.domain import contracts as domain
from valtrac.domain.contracts import Contract
from valtrac.domain.money import bts
from valtrac.errors import BadInput
from valtrac.services.house import House
from valtrac.services.legacy.stakebts_files import Old, read_database, read_text
from valtrac.services.requests import memos_of
from valtrac.store import contracts, events, operations
from valtrac.store.engine import reading, writing

SAME_CONTRACT, ALIKE = timedelta(days=1), timedelta(days=7)

__all__ = ["Old", "Preview", "Step", "apply", "preview", "read_database", "read_text"]


@dataclass(frozen=True, slots=True)
class Step:
    """What importing one contract would do. what: new, known, or mark (rewards of a known one are marked paid)."""

    old: Old
    what: str
    account: str
    contract: Contract | None = None
    marks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do, and what to look at first. past_due: satoshi that would be paid at once."""

    steps: tuple[Step, ...]
    differences: tuple[str, ...]
    past_due: int
    receipts: tuple[tuple[int, int, str], ...] = field(default=(), repr=False)
    read_to: int | None = None

    @property
    def new(self) -> int:
        """How many contracts are not here yet."""
        return sum(step.what == "new" for step in self.steps)


# -- looking first, then doing -----------------------------------------------------------------------------


def preview(
    house: House, found: Sequence[Old], *, notes: Iterable[str] = (), receipts: Sequence[tuple[int, int, str]] = (),
    read_to: int | None = None,
) -> Preview:  # fmt: skip
    """What importing would do. Raises BadInput naming every account that the chain does not know."""
    who = house.chain.named(sorted({old.name for old in found}))
    missing = [f"{old.where}: the chain has no account {old.name}" for old in found if old.name not in who]
    missing += [f"{old.where}: {old.name} is the custodian itself" for old in found if old.name == house.custodian.name]
    if missing:
        raise BadInput(f"{len(missing)} contracts are of wrong accounts", "", "mend their names", problems=missing)
    now = house.chain.finalized().at
    with reading(house.engine) as conn:
        steps, differences = [], [*notes, *_repeated(found)]
        taken: set[int] = set()
        for old in found:
            step, said = _step(conn, old, who[old.name].id, taken)
            steps.append(step)
            differences += said
    at_once = sum(
        row.units for step in steps if step.what == "new" for row in step.old.rows
        if row.state == "pending" and row.due_at <= now and row.type in domain.OWED
    )  # fmt: skip
    return Preview(tuple(steps), tuple(differences), at_once, tuple(receipts), read_to)


def _repeated(found: Sequence[Old]) -> list[str]:
    """Lines that say the same as one before: two contracts are made of them, which may be what is meant."""
    first, said = dict[tuple[Any, ...], str](), []
    for old in found:
        same = (old.name, old.start_at, old.amount, old.months)
        if not old.place[0] and same in first:
            said.append(f"{old.where}: the same as {first[same]}; each makes a contract")
        first.setdefault(same, old.where)
    return said


def apply(house: House, look: Preview) -> tuple[int, int, int]:
    """Do it, in one transaction: (contracts made, rewards marked paid, receipts brought over)."""
    head = house.chain.finalized()
    known_at = head.at
    with writing(house.engine) as conn:
        if look.read_to is not None and 0 < look.read_to <= head.number:
            operations.begin_after(conn, look.read_to)
        made = marked = 0
        taken: set[int] = set()
        for planned in look.steps:
            step, _ = _step(conn, planned.old, planned.account, taken)  # as it is now, under the lock
            if step.what == "new":
                _make(conn, step, known_at)
                made += 1
            elif step.what == "mark":
                marked += _mark(conn, step)
        brought = _bring(conn, look.receipts)
        if made or marked or brought:
            events.add(conn, "import", {"contracts": made, "marked_paid": marked, "receipts": brought})
    return made, marked, brought


def _step(conn: sa.Connection, old: Old, account: str, taken: set[int]) -> tuple[Step, list[str]]:
    known = contracts.by_key(conn, old.key)
    mine = [one for one in contracts.of_account(conn, account) if one.id not in taken]
    if known is None:
        known = next((one for one in mine if _is_same(one, old)), None)
    if known is None:
        alike = next((one for one in mine
                      if one.amount == old.amount and abs(one.start_at - old.start_at) <= ALIKE), None)  # fmt: skip
        return Step(old, "new", account), [] if alike is None else [
            f"{old.where}: much like contract #{alike.id}, {bts(alike.amount)} for {alike.months} months since "
            f"{alike.start_at:%Y-%m-%d %H:%M}, and comes as another one; leave it out if it is the same"
        ]
    taken.add(known.id)
    rows = {(row.type, row.number): row for row in contracts.dues_of(conn, known.id)}
    said, marks = [], []
    if (known.amount, known.months, known.account) != (old.amount, old.months, account):
        said.append(f"{old.where}: it is here as {bts(known.amount)} for {known.months} months of {known.name}")
    for row in old.rows:
        here = rows.get((row.type, row.number))
        if row.type == domain.AGREEMENT or here is None:
            continue
        if row.state == "paid" and here.state == "pending" and row.type == domain.REWARD:
            marks.append(here.id)
        elif row.state == "paid" and here.state not in ("paid", "confirmed"):
            said.append(f"{old.where}: {row.type} {row.number} was paid there and is {here.state} here")
        elif row.state == "pending" and here.state in ("paid", "confirmed"):
            said.append(f"{old.where}: {row.type} {row.number} is pending there and {here.state} here")
        if row.units != here.units:
            said.append(f"{old.where}: {row.type} {row.number} is {bts(row.units)} there and {bts(here.units)} here")
    return Step(old, "mark" if marks else "known", account, known, tuple(marks)), said


def _is_same(one: Contract, old: Old) -> bool:
    """Whether a contract that is here is the one of a list or database, which name its start to the day at best.

    What came from a list is known again by its key alone where it comes from a list again: two lines are two contracts.
    """
    here, there = one.source == "list", not old.place[0]
    if (one.amount, one.months) != (old.amount, old.months) or (here and there):
        return False
    if one.block and old.place[0]:  # both know their place on the chain: another place is another contract
        return False
    return abs(one.start_at - old.start_at) <= SAME_CONTRACT


def _make(conn: sa.Connection, step: Step, known_at: datetime) -> None:
    old = step.old
    made = contracts.add(
        conn, key=old.key, operation_id=None, source="list" if not old.place[0] else "stakebts", account=step.account,
        name=old.name, amount=old.amount, months=old.months, reward_bps=old.reward_bps, penalty_bps=old.penalty_bps,
        month_ms=old.month_ms, start_at=old.start_at, place=old.place,
        known_at=known_at,
    )  # fmt: skip
    if made is not None:
        contracts.add_dues(conn, made, old.rows, memos_of(made, old.rows))


def _mark(conn: sa.Connection, step: Step) -> int:
    """Rewards that were paid elsewhere: through every state that a payment goes through."""
    contracts.move(conn, list(step.marks), "pending", "processing")
    contracts.move(
        conn, list(step.marks), "processing", "paid", processed_at=datetime.now(UTC), words="paid before, by import"
    )
    return len(step.marks)


def _bring(conn: sa.Connection, receipts: Sequence[tuple[int, int, str]]) -> int:
    known = events.imported(conn)
    new = [one for one in receipts if one not in known]
    for nonce, now, msg in new:
        events.bring(conn, nonce, now, msg)
    return len(new)
