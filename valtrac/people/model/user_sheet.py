"""What an owner writes about users: a name, an address, and the sheet that lists both.

A sheet has the header `Name,Address1,Address2,...` and a row per user. What is wrong in its rows is
collected as data, so that the owner sees all of it at once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from valtrac.core.addresses import BadAddress, address_of, key_of
from valtrac.core.errors import BadInput
from valtrac.core.text import is_plain, plain
from valtrac.tables.records import Problem, Record, header_of

MAX_ROWS = 200_000
MAX_NAME = 100
# the line of a plan that is nobody's, and what is no person in policies and the ledger
RESERVED = ("unassigned", "everyone", "*", "owner", "pool", "others")
HEADER_FIX = "make the first row: Name,Address1,Address2,... (as many address columns as you need)"
_LIKE_AN_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46,50}")


class BadCell(ValueError):
    """A name or an address that cannot be used; `reason` and `fix` are safe to show."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Row:
    """A user of the sheet. columns: the header above each of the addresses."""

    line: int
    name: str
    addresses: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows that can be used, in the order of the file, and what is wrong with the others."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def same_text(text: str) -> str:
    """A name as it is stored: without blanks around it, each letter in one way of writing it (NFC)."""
    return unicodedata.normalize("NFC", text.strip())


def clean_name(text: str) -> str:
    """A name as it is stored. Raises BadCell: empty, too long, unreadable, reserved, or an address."""
    name = same_text(text)
    shown = plain(name, 60)
    if not name:
        raise BadCell("the name is empty", "write the user's name")
    if len(name) > MAX_NAME:
        raise BadCell(f"the name has {len(name)} characters, {MAX_NAME} are allowed", "shorten it")
    if not is_plain(name):
        raise BadCell(f"{shown!r} holds a control or invisible character (shown as a dot)", "type the name anew")
    if name.casefold() in RESERVED:
        raise BadCell(f"{shown!r} is a word that means something here", "choose another name")
    if _LIKE_AN_ADDRESS.fullmatch(name):
        raise BadCell(f"{shown!r} is an address, not a name", "write a name here and the address in its own column")
    return name


def clean_address(text: str) -> str:
    """An address of this network, without blanks around it. Raises BadCell, with the reason."""
    address = text.strip()
    try:
        # a key has one spelling: leading ones are zeros of the number and name it a second time
        if address_of(key_of(address)) != address:
            raise BadAddress("not the usual spelling of its key")
    except BadAddress as error:
        raise BadCell(
            f"{plain(address, 60)!r} is no address of this network: {plain(error)}",
            "copy it again from the wallet, whole",
        ) from error
    return address


def parse(records: Iterator[Record | Problem], source: str) -> Sheet:
    """The users of a sheet.

    records: its rows as they were read, the header first. source: the file's name, for errors.
    Empty cells, blank rows and empty cells at the end of a row are passed over.
    Raises BadInput where the file as a whole cannot be used: empty, another header, no users, too many rows. What is
    wrong with single rows is in the sheet.
    """
    columns = _header(header_of(records, source, HEADER_FIX), source)
    rows: list[Row] = []
    problems: list[Problem] = []
    count = 0
    for count, record in enumerate(records, 1):
        if count > MAX_ROWS:
            raise BadInput(f"{source} has more than {MAX_ROWS:,} users", fix="split it and import the parts")
        if isinstance(record, Problem):
            problems.append(record)
            continue
        row = _row(record, columns, problems)
        if row is not None:
            rows.append(row)
    if not count:
        raise BadInput(f"{source} has a header and no users", fix="write one row per user below the header")
    return Sheet(tuple(rows), tuple(problems + _repeated(rows)))


def table(users: Sequence[tuple[str, Sequence[str]]]) -> tuple[list[str], list[list[str]]]:
    """The header and the rows that list (name, addresses) of each user, as `parse` reads them."""
    width = max([1, *(len(addresses) for _, addresses in users)])
    header = ["Name", *(f"Address{n}" for n in range(1, width + 1))]
    return header, [[name, *addresses, *[""] * (width - len(addresses))] for name, addresses in users]


def _header(header: Record, source: str) -> list[str]:
    names = list(header.cells)
    while names and not names[-1]:
        names.pop()
    wanted = ["Name", *(f"Address{n}" for n in range(1, max(2, len(names))))]
    for place, column in enumerate(wanted):
        name = names[place] if place < len(names) else None
        if name is None:
            raise BadInput(f"{source}, row {header.line}: the column {column} is missing", fix=HEADER_FIX)
        if "".join(name.split()).casefold() != column.casefold():
            raise BadInput(
                f"{source}, row {header.line}: column {place + 1} must be {column}",
                why=f"it is {plain(name, 40)!r}",
                fix=HEADER_FIX,
            )
    return wanted


def _row(record: Record, columns: list[str], problems: list[Problem]) -> Row | None:
    """A row, or None with its problems added."""
    line, before, name = record.line, len(problems), ""
    problems += record.problems(columns)
    try:
        name = clean_name(record.cells[0]) if 0 not in record.unclear else ""
    except BadCell as error:
        problems.append(Problem(line, "Name", error.reason, error.fix))
    addresses: list[tuple[str, str]] = []
    for place, cell in enumerate(record.cells[1:], 1):
        if not cell:
            continue
        if place >= len(columns):
            problems.append(
                Problem(
                    line,
                    f"column {place + 1}",
                    f"{plain(cell, 60)!r} stands right of {columns[-1]}, the last column of the header",
                    "add a column to the header, or put a name with a comma in quotes",
                )
            )
            continue
        try:
            addresses.append((columns[place], clean_address(cell)))
        except BadCell as error:
            problems.append(Problem(line, columns[place], error.reason, error.fix))
    if len(problems) > before:
        return None
    return Row(line, name, tuple(address for _, address in addresses), tuple(column for column, _ in addresses))


def _repeated(rows: list[Row]) -> list[Problem]:
    """Names and addresses that stand in the sheet twice."""
    problems = []
    names: dict[str, Row] = {}
    places: dict[str, tuple[int, str]] = {}
    for row in rows:
        other = names.setdefault(row.name.casefold(), row)
        if other is not row:
            how = "" if other.name == row.name else f" as {plain(other.name)!r}, apart from capitals"
            problems.append(
                Problem(
                    row.line,
                    "Name",
                    f"{plain(row.name)!r} stands in row {other.line} already{how}",
                    "put all addresses of a user into one row",
                )
            )
        for column, address in zip(row.columns, row.addresses, strict=True):
            place = places.get(address)
            if place is not None:
                problems.append(
                    Problem(
                        row.line,
                        column,
                        f"{address} stands in row {place[0]}, {place[1]} already",
                        "an address belongs to one user: leave one of the two away",
                    )
                )
            places.setdefault(address, (row.line, column))
    return problems
