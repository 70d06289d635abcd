"""A sheet of prices: columns Date and Price, in any order, among others that are passed over.

What is wrong in its rows is collected as data, so that the owner sees all of it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.reports.model.prices import check_past, parse_moment, parse_price
from valtrac.tables.records import Problem, Record, header_of

MAX_ROWS = 200_000
COLUMNS = ("Date", "Price")
HEADER_FIX = "make the first row: Date,Price"


@dataclass(frozen=True, slots=True)
class Row:
    """A price of the sheet. line: as an editor counts it; price_nano: billionths of the currency's unit."""

    line: int
    at: datetime
    price_nano: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows that can be used, in the order of the file, and what is wrong with the others."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def parse(records: Iterator[Record | Problem], source: str, now: datetime) -> Sheet:
    """The prices of a sheet. records: its rows as they were read, the header first; source: the file's name, for
    errors; now: no row may lie after it.

    Raises BadInput where the file as a whole cannot be used: empty, another header, no rows, too many.
    """
    header = header_of(records, source, HEADER_FIX)
    places = _places(header.cells, source)
    rows: list[Row] = []
    problems: list[Problem] = []
    for count, record in enumerate(records, 1):
        if count > MAX_ROWS:
            raise BadInput(f"{source} has more than {MAX_ROWS:,} prices", fix="split it and import the parts")
        row = record if isinstance(record, Problem) else _row(record, places, len(header.cells), now)
        if isinstance(row, Row):
            rows.append(row)
        else:
            problems.append(row)
    if not rows and not problems:
        raise BadInput(f"{source} has a header and no prices", fix="write one row per date below the header")
    return Sheet(tuple(rows), tuple(problems + _repeated(rows)))


def _places(cells: Sequence[str], source: str) -> tuple[int, int]:
    """Where the date and the price stand in each row."""
    names = [cell.casefold() for cell in cells]
    for column in COLUMNS:
        times = names.count(column.casefold())
        if times != 1:
            raise BadInput(
                f"{source}: the column {column} is {'there twice' if times else 'missing'}",
                why=f"found: {plain(', '.join(cells), 100)}",
                fix=HEADER_FIX,
            )
    return names.index("date"), names.index("price")


def _row(record: Record, places: tuple[int, int], width: int, now: datetime) -> Row | Problem:
    line, cells = record.line, record.cells
    if any(cells[width:]):
        return Problem(
            line, "", "it has more cells than the header", "write 1234.50 without a comma, or quote the cell"
        )
    for column, place in zip(COLUMNS, places, strict=True):
        if place in record.unclear:
            return Problem(line, column, record.unclear[place].reason, record.unclear[place].fix)
    date, price = (cells[place] if place < len(cells) else "" for place in places)
    column = "Date"
    try:
        moment = parse_moment(date, field=column)
        check_past(moment, now, field=column)
        column = "Price"
        return Row(line, moment, parse_price(price, field=column))
    except BadInput as error:
        return Problem(line, column, error.what.removeprefix(f"{column}: "), error.fix.removesuffix(f" ({column})"))


def _repeated(rows: list[Row]) -> list[Problem]:
    """Dates that stand in the sheet twice, with different prices."""
    problems, first = list[Problem](), dict[datetime, Row]()
    for row in rows:
        other = first.setdefault(row.at, row)
        if other.price_nano != row.price_nano:
            words = f"{row.at:%Y-%m-%d %H:%M} UTC stands in row {other.line} already, with another price"
            problems.append(Problem(row.line, "Date", words, "leave one of the two away"))
    return problems
