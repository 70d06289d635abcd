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

from valtrac.contracts.custodian import Custodian
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.contracts import Contract, memos_of
from valtrac.contracts.model.states import DueState
from valtrac.contracts.model.statuses import status_of
from valtrac.contracts.read_stakebts import Old, read_database, read_text
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.core.errors import BadInput
from valtrac.core.money import bts
from valtrac.database.engine import reading, writing

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
    custodian: Custodian,
    old_contracts: Sequence[Old],
    *,
    notes: Iterable[str] = (),
    receipts: Sequence[tuple[int, int, str]] = (),
    read_to: int | None = None,
) -> Preview:
    """What importing would do. Raises BadInput naming every account that the chain does not know."""
    who = custodian.chain.named(sorted({old.name for old in old_contracts}))
    missing = [f"{old.where}: the chain has no account {old.name}" for old in old_contracts if old.name not in who]
    own = custodian.account.name
    missing += [f"{old.where}: {old.name} is the custodian itself" for old in old_contracts if old.name == own]
    if missing:
        raise BadInput(f"{len(missing)} contracts are of wrong accounts", fix="mend their names", problems=missing)
    now = custodian.chain.finalized().at
    with reading(custodian.engine) as conn:
        steps, differences = [], [*notes, *_repeated(old_contracts)]
        taken: set[int] = set()
        for old in old_contracts:
            step, said = _step(conn, old, who[old.name].id, taken)
            steps.append(step)
            differences += said
    at_once = sum(
        row.units
        for step in steps
        if step.what == "new"
        for row in step.old.rows
        if row.state == DueState.PENDING and row.due_at <= now and row.type in domain.OWED
    )
    return Preview(tuple(steps), tuple(differences), at_once, tuple(receipts), read_to)


def _repeated(old_contracts: Sequence[Old]) -> list[str]:
    """Lines that say the same as one before: two contracts are made of them, which may be what is meant."""
    first, said = dict[tuple[Any, ...], str](), []
    for old in old_contracts:
        same = (old.name, old.start_at, old.amount, old.months)
        if not old.place[0] and same in first:
            said.append(f"{old.where}: the same as {first[same]}; each makes a contract")
        first.setdefault(same, old.where)
    return said


def apply(custodian: Custodian, look: Preview) -> tuple[int, int, int]:
    """Do it, in one transaction: (contracts made, rewards marked paid, receipts brought over)."""
    head = custodian.chain.finalized()
    known_at = head.at
    with writing(custodian.engine) as conn:
        if look.read_to is not None and 0 < look.read_to <= head.number:
            transfers.begin_after(conn, look.read_to)
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
            audit_events.add(conn, "import", {"contracts": made, "marked_paid": marked, "receipts": brought})
    return made, marked, brought


def _step(conn: sa.Connection, old: Old, account: str, taken: set[int]) -> tuple[Step, list[str]]:
    known = contracts.by_key(conn, old.key)
    mine = [contract for contract in contracts.of_account(conn, account) if contract.id not in taken]
    if known is None:
        known = next((contract for contract in mine if _is_same(contract, old)), None)
    if known is None:
        alike = next(
            (
                contract
                for contract in mine
                if contract.amount == old.amount and abs(contract.start_at - old.start_at) <= ALIKE
            ),
            None,
        )
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
        if row.state == DueState.HANDED_OVER and here.state == DueState.PENDING and row.type == domain.REWARD:
            marks.append(here.id)
        elif row.state == DueState.HANDED_OVER and here.state not in (DueState.HANDED_OVER, DueState.CONFIRMED):
            said.append(f"{old.where}: {row.type} {row.number} was paid there and is {status_of(here)} here")
        elif row.state == DueState.PENDING and here.state in (DueState.HANDED_OVER, DueState.CONFIRMED):
            said.append(f"{old.where}: {row.type} {row.number} is pending there and {status_of(here)} here")
        if row.units != here.units:
            said.append(f"{old.where}: {row.type} {row.number} is {bts(row.units)} there and {bts(here.units)} here")
    return Step(old, "mark" if marks else "known", account, known, tuple(marks)), said


def _is_same(contract: Contract, old: Old) -> bool:
    """Whether a contract that is here is the one of a list or database, which name its start to the day at best.

    What came from a list is known again by its key alone where it comes from a list again: two lines are two contracts.
    """
    here, there = contract.source == "list", not old.place[0]
    if (contract.amount, contract.months) != (old.amount, old.months) or (here and there):
        return False
    if contract.block and old.place[0]:  # both know their place on the chain: another place is another contract
        return False
    return abs(contract.start_at - old.start_at) <= SAME_CONTRACT


def _make(conn: sa.Connection, step: Step, known_at: datetime) -> None:
    old = step.old
    made = contracts.add(
        conn,
        key=old.key,
        operation_id=None,
        source="list" if not old.place[0] else "stakebts",
        account=step.account,
        name=old.name,
        amount=old.amount,
        months=old.months,
        reward_bps=old.reward_bps,
        penalty_bps=old.penalty_bps,
        month_ms=old.month_ms,
        start_at=old.start_at,
        place=old.place,
        known_at=known_at,
    )
    if made is not None:
        contracts.add_dues(conn, made, old.rows, memos_of(made, old.rows))


def _mark(conn: sa.Connection, step: Step) -> int:
    """Rewards that were paid elsewhere: through every state that a payment goes through."""
    contracts.move(conn, list(step.marks), DueState.PENDING, DueState.PROCESSING)
    contracts.move(
        conn,
        list(step.marks),
        DueState.PROCESSING,
        DueState.HANDED_OVER,
        processed_at=datetime.now(UTC),
        words="paid before, by import",
    )
    return len(step.marks)


def _bring(conn: sa.Connection, receipts: Sequence[tuple[int, int, str]]) -> int:
    known = audit_events.imported(conn)
    new = [receipt for receipt in receipts if receipt not in known]
    for nonce, now, msg in new:
        audit_events.bring(conn, nonce, now, msg)
    return len(new)
