"""Coming over from StakeBTS: its list of contracts as text, and its SQLite database. A look first, then all or nothing.

What was paid stays paid, what was pending is pending; what its database leaves open (a row that was being paid when
it died) is handed to the owner as delinquent, because it may have been paid. Importing the same again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from valtrac.domain import contracts as domain
from valtrac.domain.contracts import Contract, Row, Terms
from valtrac.domain.money import BTS, bts
from valtrac.domain.text import plain
from valtrac.errors import BadInput
from valtrac.services.house import House
from valtrac.services.requests import memos_of
from valtrac.store import contracts, events, old_stakebts
from valtrac.store.engine import reading, writing

FIRST_MS, LAST_MS = domain.milliseconds(datetime(2015, 1, 1, tzinfo=UTC)), domain.milliseconds(
    datetime(2100, 1, 1, tzinfo=UTC)
)  # fmt: skip
OLD_TYPES = {"base_amount": domain.PRINCIPAL, "principal": domain.PRINCIPAL, "penalty": domain.PENALTY,
             "reward": domain.REWARD, "interest": domain.REWARD}  # fmt: skip
OLD_STATES = {"pending": "pending", "paid": "paid", "confirmed": "paid", "aborted": "aborted",
              "premature": "premature", "processing": "delinquent", "delinquent": "delinquent"}  # fmt: skip
SAME_CONTRACT, ALIKE = timedelta(days=1), timedelta(days=7)
MOST_BTS, MOST_MONTHS = 3_600_570_502, 120  # all BTS that will ever be


@dataclass(frozen=True, slots=True)
class Old:
    """A contract as it is to be stored. months_paid: how many rewards were paid; where: line or key, for messages."""

    where: str
    name: str
    amount: int
    months: int
    start_at: datetime
    reward_bps: int
    penalty_bps: int
    month_ms: int
    rows: tuple[Row, ...]
    place: tuple[int, int, int] = (0, 0, 0)
    key: str = ""
    months_paid: int = 0


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


def read_text(text: str, terms: Terms) -> list[Old]:
    """The contracts of a list: `username start_ms amount months months_paid` a line, with tabs or spaces.

    Raises BadInput with every bad line: its number, the field and what it may be.
    """
    found, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#") or bare.replace(" ", "") in ('STAKES="""', '"""', "STAKES='''", "'''"):
            continue
        try:
            found.append(_of_line(bare.split(), f"line {number}", terms))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} lines cannot be read",
            "a line is: username start_ms amount months months_paid",
            "mend them, then import again",
            problems=problems,
        )
    if not found:
        raise BadInput("there is no contract in it", "", "a line is: username start_ms amount months months_paid")
    seen: Counter[tuple[Any, ...]] = Counter()
    keyed = []
    for old in found:
        same = (old.name, old.start_at, old.amount, old.months)
        seen[same] += 1
        ms = domain.milliseconds(old.start_at)
        keyed.append(_with_key(old, f"list:{old.name}:{ms}:{old.amount}:{old.months}:{seen[same]}"))
    return keyed


def _of_line(words: Sequence[str], where: str, terms: Terms) -> Old:
    if len(words) != 5:
        raise ValueError(f"{len(words)} fields in the place of 5")
    name = plain(words[0], 80)
    start_ms, amount, months, paid = (
        _number(word, field)
        for word, field in zip(words[1:], ("start_ms", "amount", "months", "months_paid"), strict=True)
    )
    if not FIRST_MS <= start_ms <= LAST_MS:
        raise ValueError(f"start_ms: {start_ms} is not a time in milliseconds since 1970")
    if months not in terms.months.values():
        raise ValueError(f"months: {months} is none of {', '.join(map(str, sorted(terms.months.values())))}")
    if not 1 <= amount <= MOST_BTS:
        raise ValueError(f"amount: {amount} is not an amount of whole BTS (at most {MOST_BTS:,}, all there are)")
    if paid > months:
        raise ValueError(f"months_paid: {paid} is more than its {months} months")
    start = domain.moment(start_ms)
    units = amount * domain.WHOLE
    rows = [_paid_before(row, paid) for row in domain.rows(units, months, start, terms)]
    return Old(where, name, units, months, start, terms.reward_bps, terms.penalty_bps, terms.month_ms, tuple(rows),
               months_paid=paid)  # fmt: skip


def _paid_before(row: Row, paid: int) -> Row:
    done = row.type == domain.AGREEMENT or (row.type == domain.REWARD and row.number <= paid)
    return Row(row.type, row.number, row.units, row.due_at, "paid" if done else row.state)


def _number(word: str, field_: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 19):
        raise ValueError(f"{field_}: {plain(word, 40)!r} is not a whole number")
    return int(word)


# -- the database ------------------------------------------------------------------------------------------


def read_database(path: Path) -> tuple[list[Old], list[str], list[tuple[int, int, str]], int | None]:
    """(contracts, what is odd, receipts (nonce, now, msg), the last block it had read). Opened read-only.

    Raises BadInput where it is not a database of StakeBTS, or a contract in it is not whole.
    """
    rows, receipts, last = old_stakebts.read(path)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        place = (row["block_start"], row.get("trx_idx", 0), row.get("ops_idx", 0))
        groups.setdefault((row["nominator"], *place), []).append(row)
    found, odd, problems = [], list[str](), list[str]()
    for (name, block, trx, op), mine in groups.items():
        where = f"{plain(name, 80)} in block {block}:{trx}:{op}"
        try:
            old, notes = _of_rows(where, str(name), (int(block), int(trx), int(op)), mine)
            found.append(old)
            odd += notes
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            problems.append(f"{where}: {plain(error)}")
    if problems:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} contracts in it are not whole",
            "",
            "mend them there, or leave them out",
            problems=problems,
        )
    return found, odd, receipts, last


def _of_rows(where: str, name: str, place: tuple[int, int, int], mine: list[dict[str, Any]]) -> tuple[Old, list[str]]:
    """One contract out of its rows. Raises ValueError where one is missing or says something impossible."""
    begun = [row for row in mine if str(row["type"]).startswith(("agreement_", "contract_"))]
    if len(begun) != 1:
        raise ValueError(f"{len(begun)} agreement rows in the place of one")
    months = int(str(begun[0]["type"]).rpartition("_")[2])
    if not 1 <= months <= MOST_MONTHS:
        raise ValueError(f"a contract of {months} months")
    if other := {str(row["digital_asset"]) for row in mine if row.get("digital_asset")} - {BTS.symbol}:
        raise ValueError(f"it is in {', '.join(sorted(other))}, not in {BTS.symbol}")
    start = _time(begun[0], "start")
    rows, notes = [Row(domain.AGREEMENT, 0, domain.NOTICE_UNITS, start, "paid")], []
    for row in mine:
        if row in begun:
            continue
        type_, state = OLD_TYPES.get(str(row["type"])), OLD_STATES.get(str(row["status"]))
        if type_ is None or state is None:
            raise ValueError(f"a row of type {row['type']!r} with status {row['status']!r}")
        number = _whole(row, "number") if type_ == domain.REWARD else 0
        if row["status"] == "processing":
            notes.append(f"{where}: {row['type']} {number} was being paid; look whether it was: it comes as delinquent")
        if row["status"] == "paid" and int(row.get("block_processed") or 0) == 999_999_999:
            notes.append(f"{where}: {row['type']} {number} is marked paid and was never confirmed")
        rows.append(Row(type_, number, _whole(row, "amount") * domain.WHOLE, _time(row, "due"), state))
    by_type = Counter(row.type for row in rows)
    if by_type != Counter({domain.AGREEMENT: 1, domain.PRINCIPAL: 1, domain.PENALTY: 1, domain.REWARD: months}):
        raise ValueError(f"its rows are {dict(by_type)}, not those of a contract of {months} months")
    _check_sense(start, rows, months)
    amount = next(row.units for row in rows if row.type == domain.PRINCIPAL)
    penalty = next(row for row in rows if row.type == domain.PENALTY)
    rewards = sorted((row for row in rows if row.type == domain.REWARD), key=lambda row: row.number)
    old = Old(
        where, plain(name, 80), amount, months, start, rewards[0].units * 10_000 // amount,
        -penalty.units * 10_000 // amount, int((rewards[0].due_at - start) / timedelta(milliseconds=1)), tuple(rows),
        place, ":".join(map(str, place)), sum(row.state == "paid" for row in rewards),
    )  # fmt: skip
    return old, notes


def _check_sense(start: datetime, rows: Sequence[Row], months: int) -> None:
    """Raise ValueError where amounts, numbers, times or states of a contract's rows contradict each other."""
    principal = next(row for row in rows if row.type == domain.PRINCIPAL)
    penalty = next(row for row in rows if row.type == domain.PENALTY)
    rewards = sorted((row for row in rows if row.type == domain.REWARD), key=lambda row: row.number)
    if not 0 < principal.units <= MOST_BTS * domain.WHOLE:
        raise ValueError(f"its principal is {bts(principal.units)}")
    if not -principal.units <= penalty.units <= 0:
        raise ValueError(f"its penalty is {bts(penalty.units)} for {bts(principal.units)}")
    if len({row.units for row in rewards}) != 1 or not 0 <= rewards[0].units <= principal.units:
        raise ValueError("its rewards differ from each other, are below nothing, or above its principal")
    if [row.number for row in rewards] != list(range(1, months + 1)):
        raise ValueError(f"its rewards are numbered {', '.join(str(row.number) for row in rewards)}")
    times = [start, *(row.due_at for row in rewards)]
    if any(later <= sooner for sooner, later in pairwise(times)) or principal.due_at < times[-1]:
        raise ValueError("its rows are not due one after the other")
    if principal.state in ("premature", "aborted") and any(row.state == "pending" for row in rewards):
        raise ValueError(f"its principal is {principal.state} and rewards are pending")


def _whole(row: dict[str, Any], field_: str) -> int:
    value = row[field_]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) >= 2**53:
        raise ValueError(f"{field_} {plain(repr(value), 40)} of {plain(row['type'], 40)} is no whole number")
    return value


def _time(row: dict[str, Any], field_: str) -> datetime:
    value = _whole(row, field_)
    if not FIRST_MS <= value <= LAST_MS:
        raise ValueError(f"{field_} {value} of {plain(row['type'], 40)} is not a time in milliseconds since 1970")
    return domain.moment(value)


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
    known_at = house.chain.finalized().at
    with writing(house.engine) as conn:
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


def _with_key(old: Old, key: str) -> Old:
    return replace(old, key=key)
