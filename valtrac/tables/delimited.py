"""CSV: what is between commas, semicolons, tabs or bars, by the csv reader of the standard library.

Not by pandas: that does not tell on which line a record begins once a quoted cell has several lines, and the owner
looks for the row that a problem names in an editor. It also cannot read a file of gigabytes row by row with the
number of a row whose bytes are no text.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from valtrac.core.errors import BadInput
from valtrac.core.text import csv_cell, csv_uncell, plain
from valtrac.tables.records import Problem, Record

DELIMITERS = ",;\t|"
FIX = "save it as CSV in UTF-8, or as .xlsx, .ods or .parquet"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_QUOTED = re.compile(r'"[^"]*("|$)')


def records(file: BinaryIO, source: str) -> Iterator[Record | Problem]:
    """The records of a CSV file, read as they are asked for; a Problem where its quotes do not close, as the last.

    file: open for reading, UTF-8 with or without a byte order mark, or UTF-16 with one. source: its name, for errors.
    Cells that `csv_cell` escaped are what they were before. Raises BadInput naming the row: a NUL byte, no such text.
    """
    encoding = _encoding(file)
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        lines = _without_nul(text, source)
        first = list(_until_header(lines))
        reader = csv.reader(chain(first, lines), strict=True, delimiter=delimiter_of(first[-1] if first else ""))
        yield from _records(reader)
    except UnicodeError as error:
        raise _not_text(file, encoding, source, error) from error


def delimiter_of(line: str) -> str:
    """What separates the cells of a header line: what stands in it most often outside of quotes; of none, a comma."""
    bare = _QUOTED.sub("", line)
    return max(DELIMITERS, key=bare.count)


def csv_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of text as lines of CSV, each cell safe in a spreadsheet.

    For a file that grows by some rows at a time: a background job needs no pandas for that.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _records(reader: Iterator[list[str]]) -> Iterator[Record | Problem]:
    while True:
        line = int(getattr(reader, "line_num", 0)) + 1
        try:
            # most cells were not escaped, and there may be many millions of them
            cells = tuple([csv_uncell(cell) if cell[:1] == "'" else cell for cell in map(str.strip, next(reader))])
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
            yield Record(line, cells)


def _encoding(file: BinaryIO) -> str:
    start = file.read(3)
    file.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _without_nul(lines: Iterable[str], source: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise BadInput(
                f"{source}, row {number}: a NUL byte", why="text holds none: this is another kind of file", fix=FIX
            )
        yield line


def _until_header(lines: Iterator[str]) -> Iterator[str]:
    """The lines up to the first that holds more than marks and blanks: the header."""
    for line in lines:
        yield line
        if line.strip(f'{DELIMITERS}" \r\n'):
            return


def _not_text(file: BinaryIO, encoding: str, source: str, error: UnicodeError) -> BadInput:
    """The error for bytes that are no text, with their row where that can be told."""
    if encoding == "utf-16":
        return BadInput(f"{source} is not UTF-8 or UTF-16 text", why=plain(error), fix=FIX)
    file.seek(0)
    number = 1
    for line in file:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as wrong:
            number += len(_LINE_END.findall(line, 0, wrong.start))
            why = f"byte {line[wrong.start]:#04x} begins no letter"
            return BadInput(f"{source}, row {number}: not UTF-8", why=why, fix=FIX)
        number += len(_LINE_END.findall(line))
    return BadInput(f"{source}: not UTF-8", why=plain(error), fix=FIX)
