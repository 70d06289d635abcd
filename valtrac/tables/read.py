"""Reading a table: CSV, .xlsx, .ods or Parquet, by the ending of the file's name; the same records from each."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.tables import delimited, frames
from valtrac.tables.records import Problem, Record

MAX_BYTES = 10_000_000
MAX_WORKBOOK_BYTES = 100_000_000  # read at once, not row by row
SPLIT = "check that it is the right file, or split it"
WORKBOOKS = {".xlsx": "openpyxl", ".ods": "odf"}
PARQUET = ".parquet"


def records(path: Path, *, most_bytes: int = MAX_BYTES, split: str = SPLIT) -> Iterator[Record | Problem]:
    """The rows of a file that are not blank, the header first; a Problem where a CSV's quotes do not close.

    A file of another ending is taken for CSV. most_bytes: the largest file; split: what to do with a larger one.
    Raises BadInput, also while rows are taken: missing, a folder, no file on a disk, too large (nothing is read
    then), unreadable, broken.
    """
    ending, source = path.suffix.lower(), plain(path.name)
    at_once = ending in WORKBOOKS or ending == PARQUET
    with _opened(path, min(most_bytes, MAX_WORKBOOK_BYTES) if at_once else most_bytes, split) as file:
        if ending in WORKBOOKS:
            yield from frames.of_workbook(file.read(), source, WORKBOOKS[ending])
        elif ending == PARQUET:
            yield from frames.of_parquet(file.read(), source)
        else:
            yield from delimited.records(file, source)


def whole(path: Path, *, most_bytes: int = MAX_BYTES) -> bytes:
    """All of a file that is no table. Raises BadInput as `records` does."""
    with _opened(path, most_bytes, SPLIT) as file:
        return file.read()


@contextmanager
def _opened(path: Path, most_bytes: int, split: str) -> Iterator[BinaryIO]:
    shown = plain(path)
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise BadInput(f"{shown} is a folder", fix="name the file in it")
        if not stat.S_ISREG(about.st_mode):
            raise BadInput(
                f"{shown} is not a file on a disk",
                why="a table is read twice, to show what it changes and to change it",
                fix="save it as a file first",
            )
        if about.st_size > most_bytes:
            size = f"{most_bytes // 10**9} GB" if most_bytes >= 10**9 else f"{most_bytes // 10**6} MB"
            raise BadInput(
                f"{shown} is too large: {about.st_size:,} bytes",
                why=f"such a file has at most {size} ({most_bytes:,} bytes)",
                fix=split,
            )
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError as error:
        raise BadInput(f"{shown} does not exist", fix="check the path") from error
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{shown} cannot be read",
            why=plain(getattr(error, "strerror", None) or error),
            fix="check the path and the rights of the file",
        ) from error
