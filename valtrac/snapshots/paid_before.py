"""Up to which block was paid before this ledger, as an old log of payments tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.tables import read
from valtrac.tables.records import Problem, header_of

END_BLOCK = "End Block"
MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class OldPayouts:
    """payments: the rows of the log. last_block: the highest block that one of them paid up to."""

    payments: int
    last_block: int


def read_log(path: Path, *, most_bytes: int = read.MAX_BYTES) -> OldPayouts:
    """What a log with a column `End Block` (ValTrac's payout_log.csv, or a table saved from it) was paid up to.

    Raises BadInput naming each row whose last block is no number, or that is shorter than the header, or that may be
    torn, and where there is no payment in it: a log that is only half understood says nothing about what was paid.
    """
    records, source = read.records(path, most_bytes=most_bytes), plain(path.name)
    fix = f"a log of payments has a column {END_BLOCK}"
    header = header_of(records, source, fix)
    names = [name.casefold() for name in header.cells]
    if names.count(END_BLOCK.casefold()) != 1:
        raise BadInput(
            f"{source} has no column {END_BLOCK}", why=f"its columns are {plain(', '.join(header.cells), 200)}", fix=fix
        )
    place = names.index(END_BLOCK.casefold())
    blocks, problems = list[int](), list[str]()
    last = None
    for record in records:
        if isinstance(record, Problem):
            problems.append(str(record))
            continue
        last = record
        if len(record.cells) < len(header.cells):
            reason = f"it has {len(record.cells)} cells, the header {len(header.cells)}"
            problems.append(str(Problem(record.line, "", reason, "give it all its cells, or take it out")))
            continue
        problems += map(str, record.problems(header.cells, [place]))
        cell = record.cells[place] if place < len(record.cells) else ""
        if cell.isascii() and cell.isdigit() and len(cell) <= MOST_DIGITS:
            blocks.append(int(cell))
        elif place not in record.unclear:
            reason = f"{plain(cell, 40)!r} is not the number of a block"
            problems.append(str(Problem(record.line, END_BLOCK, reason, "write the block that was paid up to")))
    if last is not None and not any(last.cells[place + 1 :]) and _may_be_torn(path):
        reason = "the file ends within this row, whose number may have lost its end"
        fix_of_row = "look at the number, and end the row with a new line"
        problems.append(str(Problem(last.line, END_BLOCK, reason, fix_of_row)))
    if problems:
        raise BadInput(f"{source} cannot be used", fix="mend these rows", problems=problems)
    if not blocks:
        raise BadInput(f"{source} lists no payment", fix="where nothing was paid before, say so: 0")
    return OldPayouts(len(blocks), max(blocks))


def _may_be_torn(path: Path) -> bool:
    """Whether the file ends without a line end: whatever wrote it may have been stopped within its last row."""
    if path.suffix.lower() in (*read.WORKBOOKS, read.PARQUET):
        return False
    return not path.read_bytes().rstrip(b"\0").endswith((b"\n", b"\r"))
