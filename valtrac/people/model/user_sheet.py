"""What an owner writes about users: a name, an address, and the CSV sheet that lists both.

A sheet has the header `Name,Address1,Address2,...` and a row per user. What is wrong in its rows is
collected as data, so that the owner sees all of it at once.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from valtrac.core.addresses import BadAddress, address_of, key_of
from valtrac.core.errors import BadInput
from valtrac.core.text import csv_cell, csv_uncell, is_plain, plain

MAX_BYTES = 10_000_000
MAX_ROWS = 200_000
MAX_NAME = 100
# the line of a plan that is nobody's, and what is no person in policies and the ledger
RESERVED = ("unassigned", "everyone", "*", "owner", "pool", "others")
HEADER_FIX = "make the first row: Name,Address1,Address2,... (as many address columns as you need)"
_LIKE_AN_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{46,50}")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class BadCell(ValueError):
    """A name or an address that cannot be used; `reason` and `fix` are safe to show."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. line: as an editor counts it, from 1; column: the header of the cell, or ""."""

    line: int
    column: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"row {self.line}{', ' + self.column if self.column else ''}: {self.reason}; {self.fix}"


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


def parse(data: bytes, source: str) -> Sheet:
    """The users of a CSV sheet.

    data: the file's bytes, UTF-8 with or without a byte order mark. source: its name, for errors.
    Empty cells, blank lines and commas at the end of a row are passed over.
    Raises BadInput where the file as a whole cannot be used: empty, not UTF-8, a NUL byte, another
    header, no users, too many rows. What is wrong with single rows is in the sheet.
    """
    numbered = records(decoded(data, source))
    first = next(numbered, None)
    if first is None:
        raise BadInput(f"{source} is empty", fix=HEADER_FIX)
    if isinstance(first, Problem):
        raise BadInput(f"{source}: {first}", fix=first.fix, problems=[str(first)])
    columns = _header(*first, source)
    rows: list[Row] = []
    problems: list[Problem] = []
    count = 0
    for record in numbered:
        count += 1
        if count > MAX_ROWS:
            raise BadInput(f"{source} has more than {MAX_ROWS:,} users", fix="split it and import the parts")
        if isinstance(record, Problem):
            problems.append(record)
            continue
        row = _row(*record, columns, problems)
        if row is not None:
            rows.append(row)
    if not count:
        raise BadInput(f"{source} has a header and no users", fix="write one row per user below the header")
    return Sheet(tuple(rows), tuple(problems + _repeated(rows)))


def write(users: list[tuple[str, tuple[str, ...]]]) -> str:
    """(name, addresses) of each user as a sheet; cells that a spreadsheet would run are escaped."""
    width = max([1, *(len(addresses) for _, addresses in users)])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Name", *(f"Address{n}" for n in range(1, width + 1))])
    for name, addresses in users:
        writer.writerow([csv_cell(cell) for cell in (name, *addresses)] + [""] * (width - len(addresses)))
    return text.getvalue()


def _line_of(data: bytes, position: int) -> int:
    return len(_LINE_END.findall(data, 0, position)) + 1


def decoded(data: bytes, source: str) -> str:
    """The text of a sheet's bytes. Raises BadInput naming the row: UTF-16, a NUL byte, not UTF-8."""
    fix = "save it as CSV in UTF-8"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{source} is not UTF-8", why="it was saved as UTF-16", fix=fix)
    if (nul := data.find(b"\0")) >= 0:
        raise BadInput(
            f"{source}, row {_line_of(data, nul)}: a NUL byte",
            why="text holds none: this is another kind of file",
            fix=fix,
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # the codec has taken the byte order mark away before it counts
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        raise BadInput(
            f"{source}, row {_line_of(data, start)}: not UTF-8",
            why=f"byte {data[start]:#04x} begins no letter",
            fix=fix,
        ) from error


def records(text: str) -> Iterator[tuple[int, list[str]] | Problem]:
    """(line on which it begins, cells without blanks around them) of each record that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            # from here on nobody knows where a row begins
            yield Problem(
                line,
                "",
                f"the quotes of this row do not close ({plain(error)})",
                'put quotes around a whole cell only, and write a quote inside as ""',
            )
            return
        if any(cells):
            yield line, cells


def _header(line: int, cells: list[str], source: str) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    if len(cells) == 1 and (other := next((mark for mark in ";\t|" if mark in cells[0]), "")):
        raise BadInput(
            f"{source}, row {line}: the columns are not separated by commas",
            why=f"they are separated by {other!r}",
            fix="save it as CSV with commas",
        )
    wanted = ["Name", *(f"Address{n}" for n in range(1, max(2, len(cells))))]
    for place, column in enumerate(wanted):
        cell = cells[place] if place < len(cells) else None
        if cell is None:
            raise BadInput(f"{source}, row {line}: the column {column} is missing", fix=HEADER_FIX)
        if "".join(cell.split()).casefold() != column.casefold():
            raise BadInput(
                f"{source}, row {line}: column {place + 1} must be {column}",
                why=f"it is {plain(cell, 40)!r}",
                fix=HEADER_FIX,
            )
    return wanted


def _row(line: int, cells: list[str], columns: list[str], problems: list[Problem]) -> Row | None:
    """A row, or None with its problems added."""
    before, name = len(problems), ""
    try:
        name = clean_name(csv_uncell(cells[0]))
    except BadCell as error:
        problems.append(Problem(line, "Name", error.reason, error.fix))
    pairs: list[tuple[str, str]] = []
    for place, cell in enumerate(cells[1:], 1):
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
            pairs.append((columns[place], clean_address(cell)))
        except BadCell as error:
            problems.append(Problem(line, columns[place], error.reason, error.fix))
    if len(problems) > before:
        return None
    return Row(line, name, tuple(address for _, address in pairs), tuple(column for column, _ in pairs))


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
