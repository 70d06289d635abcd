"""What a year of requests should have paid, worked out from the chain alone, apart from the program under test.

It reads every transfer to and from the custodian in the order of the blocks, knows what each sender meant, and
says which payments must be there, once each. What the program keeps in its database is not looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WHOLE = 100_000
MONTH = timedelta(days=30)
FEE, LEAST = 50 * WHOLE, 10 * WHOLE
MONTHS = {"three_months": 3, "six_months": 6, "twelve_months": 12}


@dataclass(frozen=True)
class Seen:
    """A transfer as it stands on the chain; memo: as its receiver reads it."""

    key: str
    tx_id: str
    at: datetime
    account: str
    units: int
    came_in: bool
    memo: str | None
    fee: int


@dataclass
class Running:
    key: str
    account: str
    amount: int
    months: int
    at: datetime
    stopped_at: datetime | None = None

    @property
    def end(self) -> datetime:
        return self.at + self.months * MONTH


@dataclass
class Reckoning:
    """expected: (account, what, key) -> units, each to be paid once."""

    expected: dict[tuple[str, str, str], int] = field(default_factory=dict)
    contracts: int = 0
    kept: int = 0


def reckon(seen: list[Seen], meant: dict[str, str], amounts: set[int], until: datetime) -> Reckoning:
    """meant: transaction -> what its sender asked for: a contract's word, stop, loan, move, or nothing valid."""
    found, running = Reckoning(), list[Running]()
    for one in seen:
        if not one.came_in:
            continue
        asked, whole = meant[one.tx_id], one.units - one.units % WHOLE
        if asked in MONTHS and whole in amounts:
            running.append(Running(one.key, one.account, whole, MONTHS[asked], one.at))
        elif asked == "stop":
            ended = [it for it in running if it.account == one.account and it.stopped_at is None and it.end > one.at]
            for it in ended:
                it.stopped_at = one.at
            if ended:
                pays = sum(it.amount - it.amount * 15 // 100 // WHOLE * WHOLE for it in ended)
                found.expected[one.account, "stop", one.key] = pays
        elif asked in ("loan", "move", "keep"):
            found.kept += one.units
        elif asked == "returned":
            found.expected[one.account, "refund", one.key] = whole
        else:
            back = whole - FEE
            if back > LEAST:
                found.expected[one.account, "refund", one.key] = back
    for it in running:
        _rows(found, it, until)
    found.contracts = len(running)
    return found


def _rows(found: Reckoning, it: Running, until: datetime) -> None:
    found.expected[it.account, "notice", it.key] = WHOLE
    reward = it.amount * 8 // 100 // WHOLE * WHOLE
    for number in range(1, it.months + 1):
        due = it.at + number * MONTH
        if due <= until and (it.stopped_at is None or due <= it.stopped_at):
            found.expected[it.account, f"reward {number}", it.key] = reward
    if it.stopped_at is None and it.end <= until:
        found.expected[it.account, "principal", it.key] = it.amount


@dataclass
class Verdict:
    """The comparison. twice, forgotten, strange: payments; other: payments that are no client's business."""

    payments: int = 0
    twice: list[Seen] = field(default_factory=list)
    forgotten: list[tuple[str, str, str]] = field(default_factory=list)
    strange: list[Seen] = field(default_factory=list)
    notes: int = 0


def compare(seen: list[Seen], wanted: Reckoning, *, deposits: set[str], by_hand: set[str]) -> Verdict:
    """Match every payment on the chain with what it must have been. deposits: memos of money sent to an exchange;
    by_hand: transactions that the owner made outside the program."""
    verdict, paid = Verdict(), Counter[tuple[str, str, str]]()
    loose: dict[tuple[str, str, int], list[str]] = {}
    for (account, what, key), units in wanted.expected.items():
        if what in ("refund", "stop"):
            loose.setdefault((account, what, units), []).append(key)
    for one in seen:
        if one.came_in:
            continue
        if one.tx_id in by_hand:
            continue
        verdict.payments += 1
        what, key = _named(one.memo or "", deposits)
        if what in ("support", "deposit"):
            verdict.notes += 1
            continue
        if what in ("refund", "stop"):
            keys = loose.get((one.account, what, one.units), [])
            key = keys.pop() if keys else "none left"
        place = (one.account, what, key)
        if wanted.expected.get(place) != one.units:
            known = any(slot[0] == one.account and slot[1] == what for slot in wanted.expected)
            (verdict.twice if what in ("refund", "stop") and known else verdict.strange).append(one)
            continue
        paid[place] += 1
        if paid[place] > 1:
            verdict.twice.append(one)
    verdict.forgotten = [place for place in wanted.expected if not paid[place]]
    return verdict


def _named(memo: str, deposits: set[str]) -> tuple[str, str]:
    if found := re.fullmatch(r"Payment of (reward \d+) of \d+ for stake contract (\S+)\. Thank.*", memo):
        return found[1], found[2]
    if found := re.fullmatch(r"Payment of principal for stake contract (\S+)\. Thank.*", memo):
        return "principal", found[1]
    if found := re.fullmatch(r"\d+ month stake contract of .* UTC: (\S+)", memo):
        return "notice", found[1]
    if memo.startswith("Principal less penalty of stake contract"):
        return "stop", ""
    if memo.startswith(("50 BTS fee charged", "No fee charged")):
        return "refund", ""
    if memo.startswith("Your payment of"):
        return "support", ""
    return ("deposit", memo) if memo in deposits else ("strange", memo)
