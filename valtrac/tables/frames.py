"""Workbooks (.xlsx, .ods) and Parquet, opened by pandas: every cell as the text that was entered, or why not."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.core.text import csv_uncell, plain
from valtrac.tables.records import Record, Unclear

MAX_UNPACKED_BYTES = 1_000_000_000
# a spreadsheet keeps the first fifteen digits of a number and makes zeros or noise of the rest
EXACT_DIGITS = 15
AS_TEXT = "make the cell text (in a spreadsheet: format it as text, then type it again)"


def of_workbook(data: bytes, source: str, engine: str) -> Iterator[Record]:
    """The rows of a workbook's first sheet that are not blank, numbered as the spreadsheet numbers them.

    data: the file's bytes; source: its name, for errors; engine: `openpyxl` for .xlsx, `odf` for .ods.
    Raises BadInput where it is no such file, or is too large once it is unpacked.
    """
    import pandas

    _check_unpacked(data, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what only looks are made of, such as styles that are missing
            frame = pandas.read_excel(io.BytesIO(data), header=None, dtype=object, na_filter=False, engine=engine)
            formulas = _formulas(data) if engine == "openpyxl" else {}
    except Exception as error:  # each library has errors of its own for a file that is broken
        raise _broken(source, error) from error
    width = 0
    for line, values in enumerate(frame.itertuples(index=False, name=None), 1):
        record = _record(line, values, width, formulas.get(line, frozenset()), escaped=True)
        if record is not None:
            width = width or len(record.cells)
            yield record


def of_parquet(data: bytes, source: str) -> Iterator[Record]:
    """The header, as row 1, and the rows of a Parquet file. data, source and errors are as for a workbook."""
    import pandas
    from pyarrow import parquet

    try:
        about = parquet.ParquetFile(io.BytesIO(data)).metadata
        groups = range(about.num_row_groups)
        _check_size(sum(about.row_group(place).total_byte_size for place in groups), source)
        # with pyarrow's own types a column of whole numbers stays one, though a cell in it is empty
        frame = pandas.read_parquet(io.BytesIO(data), dtype_backend="pyarrow")
    except BadInput:
        raise
    except Exception as error:  # each library has errors of its own for a file that is broken
        raise _broken(source, error) from error
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    yield Record(1, tuple(str(name).strip() for name in frame.columns))
    for line, values in enumerate(frame.itertuples(index=False, name=None), 2):
        cells = [None if value is pandas.NA else value for value in values]
        record = _record(line, cells, len(cells), escaped=False)
        if record is not None:
            yield record


def entered(value: Any) -> str | Unclear:
    """The text that was entered for a cell's value, or why it cannot be known.

    Text is text. A number is the shortest decimal that stands for it: 12.5 -> "12.5", 1.0 -> "1". A date is
    2026-01-31, with a time 2026-01-31 14:30:00. Nothing is "".
    """
    if value is None:
        return ""
    if value != value:  # NaN, or a date that is none
        return Unclear("its value is an error or no number", "write what it should be, or empty the cell")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | Decimal):
        return _digits(Decimal(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return Unclear(f"{plain(value, 40)!r} is neither text nor a number nor a date", AS_TEXT)


def digits_of(number: int | Decimal) -> int:
    """How many digits of a finite number mean something: 1 of 0.001, 3 of 1.230; of a whole number all."""
    # not by normalize(), which rounds to 28 digits
    digits = len("".join(map(str, Decimal(number).as_tuple().digits)).rstrip("0"))
    return max(digits, len(str(abs(int(number)))))


def _float(value: float) -> str | Unclear:
    shortest = Decimal(repr(value))
    if not shortest.is_finite() or digits_of(shortest) > EXACT_DIGITS:
        return Unclear(
            f"{shortest:f} may not be the number that was entered (the file keeps {EXACT_DIGITS} digits)", AS_TEXT
        )
    return _digits(shortest)


def _digits(value: Decimal) -> str:
    """A number without exponent and without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _moment(value: datetime) -> str:
    if value.tzinfo is not None:
        return value.isoformat()
    return f"{value:%Y-%m-%d}" if value.time() == time() else value.isoformat(sep=" ")


def _record(
    line: int, values: Sequence[Any], width: int, formulas: frozenset[int] = frozenset(), *, escaped: bool
) -> Record | None:
    """A row, or None for a blank one. A file of this kind does not tell an empty cell at the end from none.

    width: cells of the header, which a row has at least; formulas: places of cells whose value a spreadsheet works
    out; escaped: whether the file is one for spreadsheets.
    """
    cells: list[str] = []
    unclear: dict[int, Unclear] = {}
    for place, value in enumerate(values):
        text = _in_workbook(value, formula=place in formulas) if escaped else entered(value)
        if isinstance(text, Unclear):
            unclear[place], text = text, ""
        cells.append(text)
    while cells and not cells[-1] and len(cells) - 1 not in unclear:
        cells.pop()
    return Record(line, (*cells, *[""] * (width - len(cells))), unclear) if cells else None


def _in_workbook(value: Any, *, formula: bool) -> str | Unclear:
    if formula and value == "":
        return Unclear("it is a formula whose value is not in the file", "write the value instead of the formula")
    if isinstance(value, int) and abs(value) >= 10**EXACT_DIGITS:
        return Unclear(
            f"{value} may not be the number that was entered (a spreadsheet keeps {EXACT_DIGITS} digits)", AS_TEXT
        )
    text = entered(value)
    return csv_uncell(text) if isinstance(text, str) else text


def _formulas(data: bytes) -> dict[int, frozenset[int]]:
    """Row -> places of the cells that are formulas: pandas tells values only, and an unknown one is empty there."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        rows = ((number, row) for number, row in enumerate(sheet.rows, 1))
        places = {number: frozenset(n for n, cell in enumerate(row) if cell.data_type == "f") for number, row in rows}
        return {number: cells for number, cells in places.items() if cells}
    finally:
        book.close()


def _check_unpacked(data: bytes, source: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            _check_size(sum(part.file_size for part in packed.infolist()), source)
    except (zipfile.BadZipFile, NotImplementedError) as error:  # the second: of a version that does not exist
        raise _broken(source, error) from error


def _check_size(unpacked: int, source: str) -> None:
    if unpacked > MAX_UNPACKED_BYTES:
        raise BadInput(
            f"{source} is too large: {unpacked:,} bytes once it is unpacked",
            why=f"at most {MAX_UNPACKED_BYTES // 10**6:,} MB are read",
            fix="check that it is the right file, or save it as CSV",
        )


def _broken(source: str, error: Exception) -> BadInput:
    return BadInput(
        f"{source} cannot be read as the kind of file that its name says",
        why=plain(error),
        fix="open it in a spreadsheet and save it again, or save it as CSV",
    )
