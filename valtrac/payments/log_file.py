"""What stands in a file of the log of payments, ours or as a spreadsheet has saved it again. Nothing is written here.

It is read strictly: a row that is half understood may be a payment that would be made again.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from valtrac.core.errors import Refused
from valtrac.core.text import plain

DELIMITERS = (",", ";", "\t", "|")
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
OLD_ENCODING = "cp1252"  # what Excel's plain CSV is written in
MOST_PROBLEMS = 20
COLUMNS = (
    "Username",
    "Address",
    "Amount Paid",
    "Start Block",
    "End Block",
    "Total Payout Pool",
    "Batch",
    "Transaction",
    "Block",
    "Status",
    "Receipt",
)
WHAT_FOR = "What For"  # a last column where a business says which payment each was
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """How a file writes its rows: ours, or as a spreadsheet has saved it again. what_for: with a last column of which
    payment each was, which files begun by a version before do not have."""

    delimiter: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"
    what_for: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The header, cell by cell."""
        return (*COLUMNS, WHAT_FOR) if self.what_for else COLUMNS

    def written(self, rows: Sequence[Sequence[str]]) -> bytes:
        """Rows as they stand in the file. A letter that its encoding lacks is a question mark."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.delimiter, lineterminator=self.line_end).writerows(rows)
        return text.getvalue().encode(self.encoding, "replace")


@dataclass(frozen=True, slots=True)
class Log:
    """rows: those that end with a line end. begun: whether the header is there.

    tail: what stands after the last line end: a row that lacks its own, or the beginning of a row (of the header, where
    that is not begun). line: where the tail stands, as an editor counts. gap: what comes before the next row.
    """

    rows: list[Row]
    form: Form
    begun: bool = True
    tail: bytes = b""
    line: int = 1
    gap: bytes = b""


def parse(content: bytes, path: object, *, what_for: bool = False) -> Log:
    """What a file holds. path: its name, for errors. what_for: whether one that is begun now gets that column.

    Raises Refused: it is another program's; rows of it are not understood, which are named.
    """
    mark, encoding = next(((mark, name) for mark, name in MARKS.items() if content.startswith(mark)), (b"", "utf-8"))
    body = content[len(mark) :]
    anew = Form(encoding=encoding, what_for=what_for)
    if anew.written([anew.columns]).startswith(body):
        return Log([], anew, begun=False, tail=body)
    end = max(_after_last(body, sign.encode(encoding)) for sign in "\r\n")
    text, encoding = _decoded(body[:end] if end else body, encoding)
    form = _form(text, encoding, path)
    rows = _rows(text, form, path, line=1)[1:]
    if not end:  # the header of a spreadsheet, and nothing after it
        return Log(rows, form, gap=form.line_end.encode(encoding))
    torn = form.line_end == "\r\n" and text.endswith("\r")
    gap = form.line_end if end < len(body) else "\n" if torn else ""
    return Log(rows, form, tail=body[end:], line=_lines(text) + 1, gap=gap.encode(encoding))


def last_row(log: Log, path: object) -> list[Row]:
    """The tail as the row that it is where only its line end is missing. Raises Refused where it is none."""
    return _rows(log.tail.decode(log.form.encoding, "replace"), log.form, path, line=log.line)


def _after_last(body: bytes, sign: bytes) -> int:
    """The place after the last line end of a kind; 0 where there is none. sign: as it is encoded; the same bytes at odd
    places of UTF-16 are halves of two letters."""
    place = body.rfind(sign)
    while place >= 0 and place % len(sign):
        place = body.rfind(sign, 0, place + len(sign) - 1)
    return place + len(sign) if place >= 0 else 0


def _decoded(body: bytes, encoding: str) -> tuple[str, str]:
    """The text, and what it is encoded in. Names may lose a letter: nothing is known by its name here."""
    with suppress(UnicodeDecodeError):
        return body.decode(encoding), encoding
    encoding = OLD_ENCODING if encoding == "utf-8" else encoding
    return body.decode(encoding, "replace"), encoding


def _form(text: str, encoding: str, path: object) -> Form:
    """How the rows are written: by the delimiter that makes our header of the first one. Raises Refused: none does."""
    first = next(iter(io.StringIO(text, newline="")))
    head = first.rstrip("\r\n")
    for delimiter in DELIMITERS:
        with suppress(csv.Error):
            cells = next(csv.reader([head], delimiter=delimiter, strict=True), [])
            named = tuple(cell.strip() for cell in cells)
            if named in (COLUMNS, (*COLUMNS, WHAT_FOR)):
                return Form(delimiter, first[len(head) :] or "\n", encoding, named != COLUMNS)
    raise Refused(
        f"{plain(path)} is a log of another program",
        why=f"its columns are {plain(head)}",
        fix="move it to another place; a new one is begun",
    )


def _rows(text: str, form: Form, path: object, line: int) -> list[Row]:
    """The rows of a text, without blank ones. line: where it begins. Raises Refused, naming those that are none."""
    rows, problems, wide = list[Row](), list[str](), len(form.columns)
    for place, cells in _cells(text, form, problems, line):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != wide:
            problems.append(f"row {place} has {len(cells)} cells instead of {wide}")
        elif any("\n" in cell or "\r" in cell for cell in cells):
            problems.append(f"row {place} goes on in the next line, within quotes")
        rows.append(dict(zip(form.columns, cells, strict=False)))
    if problems:
        raise Refused(
            f"{plain(path)}, {problems[0]}",
            why="a payment that is listed there could be missed, and made again",
            fix=f"put that row right: {wide} cells, and a quote within a cell written twice; or bring back a "
            "copy of the file; do not throw it away",
            problems=problems[:MOST_PROBLEMS],
        )
    return rows


def _cells(text: str, form: Form, problems: list[str], line: int) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row; where one cannot be read it is added to the problems, and is the last."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    while True:
        place = line + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(f"row {place} cannot be read ({plain(error)})")
            return
        yield place, cells


def _lines(text: str) -> int:
    return sum(1 for _ in io.StringIO(text, newline=""))
