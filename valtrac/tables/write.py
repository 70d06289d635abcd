"""Writing a file whole or not at all, for its owner's eyes only; and tables as CSV, .xlsx, Parquet or JSON.

A number is written as the exact decimal that it is. Text that a spreadsheet would run is escaped where spreadsheets
read (CSV, .xlsx), the same way in both, so that reading takes it back.
"""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from valtrac.core.errors import BadInput
from valtrac.core.text import csv_cell, plain
from valtrac.tables.frames import EXACT_DIGITS, digits_of

# a share or a rate is a float; money is a Decimal or an int; None is an empty cell
Cell = str | int | float | Decimal | None
FORMATS = ("csv", "xlsx", "parquet", "json")
MAX_WORKBOOK_ROWS = 1_048_575  # below the header
ROWS_AT_ONCE = 50_000
LARGEST_JSON_INT = 2**53  # what a reader that knows only floats keeps
LARGEST_PARQUET_INT = 2**63 - 1
ELSEWHERE = "name a file in a folder that exists and is yours"


@contextmanager
def whole(path: Path, *, make_folder: bool = True, fix: str = ELSEWHERE) -> Iterator[BinaryIO]:
    """A new file that only its owner can read (0600), and that takes the place of the old one when it is whole.

    Until then it stands beside it under a name that nobody else uses; where anything goes wrong it is removed and the
    old one stays. make_folder: the folders that are missing are made. Raises BadInput where it cannot be written:
    also over what is no regular file, since that is nothing to be replaced.
    """
    part = None
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(0, "it is a folder, a link, a device or a pipe")
        number, part = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix=".part")
        with open(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        part = None
    except (OSError, ValueError) as error:
        why = plain(getattr(error, "strerror", None) or error)
        raise BadInput(f"{plain(path)} cannot be written", why=why, fix=fix) from error
    finally:
        if part is not None:
            with suppress(OSError):
                os.unlink(part)


def write_text(path: Path, text: str, *, make_folder: bool = True) -> None:
    """Write text as UTF-8, as `whole` does. Raises BadInput where it cannot be written."""
    with whole(path, make_folder=make_folder) as file:
        file.write(text.encode("utf-8"))


def format_of(path: Path) -> str:
    """The format that a file's name asks for; CSV without an ending. Raises BadInput for an ending of none of them."""
    ending = path.suffix.lower().removeprefix(".") or FORMATS[0]
    if ending not in FORMATS:
        raise BadInput(
            f"{plain(path.name, 60)} is no name of a table",
            why=f"tables are written as {', '.join(FORMATS)}",
            fix="let it end in .csv, .xlsx, .parquet or .json",
        )
    return ending


def table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, make_folder: bool = True) -> int:
    """Write rows under `columns`, in the format of the name's ending; return how many.

    rows: as many cells as columns; in a column either text or numbers. CSV is written as the rows come. Raises
    BadInput where the file cannot be written, its ending is unknown, or .xlsx cannot hold so many rows.
    """
    format_ = format_of(path)
    with whole(path, make_folder=make_folder) as file:
        if format_ == "csv":
            return _csv(file, columns, rows)
        kept = list(rows)
        if format_ == "xlsx" and len(kept) > MAX_WORKBOOK_ROWS:
            raise BadInput(
                f"{len(kept):,} rows do not fit into {plain(path.name)}",
                why=f"a spreadsheet holds {MAX_WORKBOOK_ROWS:,}",
                fix="let the name end in .csv or .parquet",
            )
        {"xlsx": _xlsx, "parquet": _parquet, "json": _json}[format_](file, columns, kept)
        return len(kept)


def exact(value: int | float | Decimal) -> str:
    """A number as text: money without an exponent and with all its places, a float in the shortest way."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)


def _frame(columns: Sequence[str], cells: Sequence[Sequence[Any]]) -> Any:
    """A table of pandas that takes every cell as it is. cells: one list for each column."""
    import pandas

    frame = pandas.DataFrame({place: pandas.Series(values, dtype=object) for place, values in enumerate(cells)})
    frame.columns = pandas.Index(columns, dtype=object)
    return frame


def _columns(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
    return [[row[place] for row in rows] for place in range(len(columns))]


def _csv(file: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    taken, count = iter(rows), 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    head = True
    while (part := list(islice(taken, ROWS_AT_ONCE))) or head:
        cells = [[_in_csv(cell) for cell in column] for column in _columns(columns, part)]
        _frame([csv_cell(name) for name in columns], cells).to_csv(text, index=False, header=head, lineterminator="\n")
        count, head = count + len(part), False
    text.flush()
    text.detach()
    return count


def _in_csv(cell: Cell) -> str:
    if cell is None:
        return ""
    return csv_cell(cell) if isinstance(cell, str) else exact(cell)


def _xlsx(file: BinaryIO, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    cells = [_in_workbook(column) for column in _columns(columns, rows)]
    _frame([csv_cell(name) for name in columns], cells).to_excel(file, index=False, engine="openpyxl")


def _in_workbook(column: list[Cell]) -> list[Any]:
    """A column of numbers where a spreadsheet keeps each of them exactly, else of text.

    Never of both: a sum over the column would leave out those that are text, and not say so.
    """
    kept = all(_fits(cell) for cell in column if not isinstance(cell, str))
    return [_in_csv(cell) if isinstance(cell, str) or not kept else cell for cell in column]


def _fits(cell: Cell) -> bool:
    if isinstance(cell, int | Decimal):
        return digits_of(cell) <= EXACT_DIGITS
    return True


def _parquet(file: BinaryIO, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    cells = [_typed(column, LARGEST_PARQUET_INT, Decimal) for column in _columns(columns, rows)]
    _frame(columns, cells).to_parquet(file, index=False, engine="pyarrow")


def _json(file: BinaryIO, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    cells = [_typed(column, LARGEST_JSON_INT, str) for column in _columns(columns, rows)]
    money = [[exact(cell) if isinstance(cell, Decimal) else cell for cell in column] for column in cells]
    text = _frame(columns, money).to_json(orient="records", indent=2, double_precision=15)
    file.write(text.encode("utf-8") + b"\n")


def _typed(column: list[Cell], largest: int, wide: type[Decimal] | type[str]) -> list[Any]:
    """A column of one type. largest: whole numbers beyond it make all of the column `wide`."""
    if any(isinstance(cell, str) for cell in column):
        return [cell if cell is None or isinstance(cell, str) else exact(cell) for cell in column]
    if any(isinstance(cell, int) and abs(cell) > largest for cell in column):
        return [wide(cell) if isinstance(cell, int) else cell for cell in column]
    return column
