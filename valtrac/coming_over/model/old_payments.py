"""ValTrac's log of payouts, row by row: who was paid what for which blocks. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from valtrac.core.addresses import is_address
from valtrac.core.errors import BadInput
from valtrac.core.text import is_plain, plain
from valtrac.people.model.user_sheet import same_text
from valtrac.tables.records import Problem, Record

COLUMNS = ("Username", "Address", "Amount Paid", "Start Block", "End Block")
MOST_DIGITS = 12
_FLOAT = re.compile(r"\d{1,10}(\.\d{1,20})?([eE]-\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class OldPayment:
    """A row of the log. amount: rao; digest: 64 hex digits that tell it from every other row, an equal one too."""

    line: int
    name: str
    address: str
    amount: int
    from_block: int
    to_block: int
    digest: str


@dataclass(frozen=True, slots=True)
class OldLog:
    """rows: those that can be used; refused: in words, each of the others, and why."""

    rows: tuple[OldPayment, ...]
    refused: tuple[str, ...]


def parse(records: Iterable[Record | Problem], header: Record) -> OldLog:
    """The payments of a log. What ValTrac could not have paid, such as an amount below zero, is refused for itself."""
    places = {name.casefold(): place for place, name in enumerate(header.cells)}
    missing = [name for name in COLUMNS if name.casefold() not in places]
    if missing:
        return OldLog((), (f"the log has no column {', '.join(missing)}: no single payment can be taken from it",))
    rows, refused, seen = list[OldPayment](), list[str](), Counter[tuple[str, ...]]()
    for record in records:
        if isinstance(record, Problem):
            refused.append(str(record))
            continue
        cells = tuple(
            record.cells[places[name.casefold()]] if places[name.casefold()] < len(record.cells) else ""
            for name in COLUMNS
        )
        seen[cells] += 1
        try:
            rows.append(_payment(record.line, cells, seen[cells]))
        except BadInput as error:
            refused.append(f"row {record.line}: {error.what}")
    return OldLog(tuple(rows), tuple(refused))


def _payment(line: int, cells: tuple[str, ...], time: int) -> OldPayment:
    """A row as a payment. time: which of several equal rows it is. Raises BadInput."""
    name, address, amount, first, last = cells
    if not is_address(address):
        raise BadInput(f"{plain(address, 60)!r} is not an address")
    for text in (first, last):
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
            raise BadInput(f"{plain(text, 30)!r} is not the number of a block")
    if int(first) > int(last):
        raise BadInput(f"its first block, {first}, is after its last, {last}")
    if not name or not is_plain(name):
        raise BadInput(f"{plain(name, 60)!r} is no name")
    digest = hashlib.sha256("\x1f".join((*cells, str(time))).encode()).hexdigest()
    return OldPayment(line, same_text(name)[:100], address, _rao(amount), int(first), int(last), digest)


def _rao(text: str) -> int:
    """An amount of TAO as ValTrac wrote it, a float such as 1.44e-07, in whole rao. Raises BadInput."""
    units = int((Decimal(text) * 10**9).to_integral_value()) if _FLOAT.fullmatch(text) else 0
    if not 0 < units < 10**18:
        raise BadInput(f"{plain(text, 30)!r} is no amount that was paid")
    return units
