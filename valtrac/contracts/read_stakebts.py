"""The files of StakeBTS: its list of contracts as text, and its SQLite database.

They are read, and believed only where they make sense; nothing is stored here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.contracts import Row, Terms
from valtrac.contracts.model.states import DueState
from valtrac.contracts.store import old_stakebts
from valtrac.core.errors import BadInput
from valtrac.core.money import BTS, bts
from valtrac.core.text import plain

FIRST_MS, LAST_MS = (
    domain.milliseconds(datetime(2015, 1, 1, tzinfo=UTC)),
    domain.milliseconds(datetime(2100, 1, 1, tzinfo=UTC)),
)
OLD_TYPES = {
    "base_amount": domain.PRINCIPAL,
    "principal": domain.PRINCIPAL,
    "penalty": domain.PENALTY,
    "reward": domain.REWARD,
    "interest": domain.REWARD,
}
OLD_STATES = {
    "pending": DueState.PENDING,
    "paid": DueState.HANDED_OVER,
    "confirmed": DueState.HANDED_OVER,
    "aborted": DueState.ABORTED,
    "premature": DueState.PREMATURE,
    "processing": DueState.DELINQUENT,
    "delinquent": DueState.DELINQUENT,
}
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


def read_text(text: str, terms: Terms) -> list[Old]:
    """The contracts of a list: `username start_ms amount months months_paid` a line, with tabs or spaces.

    Raises BadInput with every bad line: its number, the field and what it may be.
    """
    old_contracts, problems = [], []
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#") or bare.replace(" ", "") in ('STAKES="""', '"""', "STAKES='''", "'''"):
            continue
        try:
            old_contracts.append(_of_line(bare.split(), f"line {number}", terms))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} lines cannot be read",
            why="a line is: username start_ms amount months months_paid",
            fix="mend them, then import again",
            problems=problems,
        )
    if not old_contracts:
        raise BadInput("there is no contract in it", fix="a line is: username start_ms amount months months_paid")
    seen: Counter[tuple[Any, ...]] = Counter()
    keyed = []
    for old in old_contracts:
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
    return Old(
        where,
        name,
        units,
        months,
        start,
        terms.reward_bps,
        terms.penalty_bps,
        terms.month_ms,
        tuple(rows),
        months_paid=paid,
    )


def _paid_before(row: Row, paid: int) -> Row:
    done = row.type == domain.AGREEMENT or (row.type == domain.REWARD and row.number <= paid)
    return Row(row.type, row.number, row.units, row.due_at, DueState.HANDED_OVER if done else row.state)


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
    old_contracts, odd, problems = [], list[str](), list[str]()
    for (name, block, trx, op), mine in groups.items():
        where = f"{plain(name, 80)} in block {block}:{trx}:{op}"
        try:
            old, notes = _of_rows(where, str(name), (int(block), int(trx), int(op)), mine)
            old_contracts.append(old)
            odd += notes
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            problems.append(f"{where}: {plain(error)}")
    if problems:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} contracts in it are not whole",
            fix="mend them there, or leave them out",
            problems=problems,
        )
    return old_contracts, odd, receipts, last


def _row_of(where: str, row: dict[str, Any]) -> tuple[Row, list[str]]:
    """A row that is owed, and what is odd about it. Raises ValueError where it is of no known type or state."""
    type_, state = OLD_TYPES.get(str(row["type"])), OLD_STATES.get(str(row["status"]))
    if type_ is None or state is None:
        raise ValueError(f"a row of type {row['type']!r} with status {row['status']!r}")
    number, odd = _whole(row, "number") if type_ == domain.REWARD else 0, []
    if row["status"] == "processing":
        odd.append(f"{where}: {row['type']} {number} was being paid; look whether it was: it comes as delinquent")
    if row["status"] == "paid" and int(row.get("block_processed") or 0) == 999_999_999:
        odd.append(f"{where}: {row['type']} {number} is marked paid and was never confirmed")
    return Row(type_, number, _whole(row, "amount") * domain.WHOLE, _time(row, "due"), state), odd


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
    rows, notes = [Row(domain.AGREEMENT, 0, domain.NOTICE_UNITS, start, DueState.HANDED_OVER)], list[str]()
    for row in mine:
        if row not in begun:
            read, odd = _row_of(where, row)
            rows.append(read)
            notes += odd
    by_type = Counter(row.type for row in rows)
    if by_type != Counter({domain.AGREEMENT: 1, domain.PRINCIPAL: 1, domain.PENALTY: 1, domain.REWARD: months}):
        raise ValueError(f"its rows are {dict(by_type)}, not those of a contract of {months} months")
    _check_sense(start, rows, months)
    rows, ended = _ended(where, rows, mine)
    notes += ended
    amount = next(row.units for row in rows if row.type == domain.PRINCIPAL)
    penalty = next(row for row in rows if row.type == domain.PENALTY)
    rewards = sorted((row for row in rows if row.type == domain.REWARD), key=lambda row: row.number)
    old = Old(
        where,
        plain(name, 80),
        amount,
        months,
        start,
        rewards[0].units * 10_000 // amount,
        -penalty.units * 10_000 // amount,
        int((rewards[0].due_at - start) / timedelta(milliseconds=1)),
        tuple(rows),
        place,
        ":".join(map(str, place)),
        sum(row.state == DueState.HANDED_OVER for row in rewards),
    )
    return old, notes


def _ended(where: str, rows: list[Row], mine: Sequence[dict[str, Any]]) -> tuple[list[Row], list[str]]:
    """A penalty that was taken, or a principal paid before its term, says that the contract was ended early: what was
    to come after that is no more, also where the program died before it wrote so. Where it does not say when that was,
    the owner decides: it comes as delinquent."""
    principal = next(row for row in rows if row.type == domain.PRINCIPAL)
    penalty = next(row for row in rows if row.type == domain.PENALTY)
    ended_ms = max(
        int(row.get("processed") or 0) for row in mine if OLD_TYPES.get(str(row["type"])) == domain.PRINCIPAL
    )
    paid = principal.state == DueState.HANDED_OVER
    early = paid and 0 < ended_ms < domain.milliseconds(principal.due_at)
    if not (early or penalty.state in (DueState.HANDED_OVER, DueState.DELINQUENT)):
        return rows, []
    known = paid and ended_ms > 0
    changed, numbers = [], []
    for row in rows:
        if row.type == domain.PENALTY and row.state != DueState.HANDED_OVER:
            changed.append(replace(row, state=DueState.ABORTED))
        elif (row.type, row.state) == (domain.REWARD, DueState.PENDING) and (
            not known or domain.milliseconds(row.due_at) > ended_ms
        ):
            changed.append(replace(row, state=DueState.ABORTED if known else DueState.DELINQUENT))
            numbers.append(str(row.number))
        else:
            changed.append(row)
    how = "aborted" if known else "delinquent, since it does not say when: look what was paid"
    said = f"{where}: it was ended early; reward {', '.join(numbers)} is pending there and comes as {how}"
    return changed, [said] if numbers else []


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
    if principal.state in (DueState.PREMATURE, DueState.ABORTED) and any(
        row.state == DueState.PENDING for row in rewards
    ):
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


def _with_key(old: Old, key: str) -> Old:
    return replace(old, key=key)
