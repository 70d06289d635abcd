"""Snapshots in files: export, import, and the daily mirror that the logger keeps."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import sqlalchemy as sa

from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.home import for_its_owner
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.snapshots.model import readings
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored
from valtrac.tables import read, write
from valtrac.tables.delimited import csv_text
from valtrac.tables.records import Problem, Record

LARGEST_FILE_BYTES = 2 * 10**9
AHEAD = 100  # blocks that a node may be behind the one that a snapshot was read from: twenty minutes


@dataclass(frozen=True, slots=True)
class Imported:
    """How many snapshots were new and how many were there already, and how many readings both had."""

    new: int
    known: int
    readings: int


def import_file(engine: sa.Engine, path: Path, *, head: int | None = None) -> Imported:
    """Store the snapshots of a file, all or nothing; those stored already, equal, are passed over.

    head: the chain's last block, None where no node was asked.
    Raises BadInput naming each bad row, its column and the fix, and each block that the chain has not got to yet; then
    nothing is stored.
    """
    unclear: list[str] = []
    snapshots, problems = readings.read(_numbered(path, unclear))
    problems = unclear + problems
    if problems:
        raise BadInput(
            f"{plain(path.name)}: {len(problems)} rows cannot be read",
            why="nothing was imported",
            fix="mend the rows and import the file again",
            problems=problems,
        )
    if not snapshots:
        raise BadInput(f"{plain(path.name)} has no readings", fix="it holds only a header")
    _check_within(snapshots, head, plain(path.name))
    with writing(engine) as conn:
        differing = [snapshot for snapshot in snapshots if stored.same(conn, snapshot) is False]
        if differing:
            raise BadInput(
                "some of these snapshots are stored already, with other figures",
                why="what was recorded is never rewritten",
                fix="take them out of the file",
                problems=[f"block {s.block}, netuid {s.netuid} of {s.hotkey}" for s in differing],
            )
        new = sum(stored.add(conn, snapshot) for snapshot in snapshots)
    return Imported(new, len(snapshots) - new, sum(len(s.stakes) + bool(s.owner) for s in snapshots))


def _check_within(snapshots: Sequence[Snapshot], head: int | None, source: str) -> None:
    """Raise BadInput for blocks that the chain has not got to: one digit too many, that is."""
    if head is not None and (beyond := sorted({s.block for s in snapshots if s.block > head + AHEAD})):
        raise BadInput(
            f"{source}: block {beyond[0]} lies far beyond the chain's last block, {head}",
            why="the next payout counts all up to the last snapshot as paid; one digit too many would swallow "
            "all later ones",
            fix="mend the block numbers; where the node is behind, wait until it has caught up",
            problems=[f"block {block}" for block in beyond],
        )


def export(engine: sa.Engine, path: Path, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> int:
    """Write a range of snapshots, in the format of the name's ending; return how many.

    Raises BadInput when the file cannot be written, and where there is no such snapshot: a file that is there stays.
    """
    with reading(engine) as conn:
        snapshots = stored.load(conn, hotkey, netuid, from_block, to_block)
    if not snapshots:
        raise BadInput(
            "no snapshot that counts lies in that range", fix="see which there are: run.py snapshot list --last 100"
        )
    write.table(path, readings.COLUMNS, (row for snapshot in snapshots for row in readings.rows_of(snapshot)))
    return len(snapshots)


def mirror(folder: Path, snapshot: Snapshot) -> None:
    """Append a snapshot to its day's file, `stakes-YYYY-MM-DD.csv` (UTC); one writer at a time.

    Raises ValtracError when it cannot be written.
    """
    path = folder / f"stakes-{snapshot.at.astimezone(UTC).date().isoformat()}.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(path, "a+", encoding="utf-8", newline="", opener=for_its_owner) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            begun = file.readline().strip().split(",")  # a day's file that an older version began goes on as it began
            columns = len(begun) if begun[0] else len(readings.COLUMNS)
            head = [] if begun[0] else [readings.COLUMNS]
            rows = ([_cell(cell) for cell in row[:columns]] for row in readings.rows_of(snapshot))
            file.write(csv_text([*head, *rows]))
    except OSError as error:
        raise ValtracError(
            f"{path} cannot be written",
            why=f"{plain(error.strerror)}; the snapshot of block {snapshot.block} is in the database all the same",
            fix="make room, or make the folder writable",
        ) from error


def _cell(value: str | int | None) -> str:
    return "" if value is None else str(value)


def _numbered(path: Path, unclear: list[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a file with their line numbers. unclear: told of each cell that cannot be taken as it stands, and of
    its row, which is left out then. Raises BadInput where it is no such file."""
    source = plain(path.name)
    records = read.records(path, most_bytes=LARGEST_FILE_BYTES, split="split it by days")
    names = _columns(next(records, Record(1, ())), source)
    for record in records:
        if isinstance(record, Problem):
            raise BadInput(f"{source} is not a CSV file", why=str(record), fix="export it again")
        if len(record.cells) != len(names):
            raise BadInput(
                f"{source}, row {record.line}: it has not as many cells as the header",
                fix="mend the row",
            )
        if record.unclear:
            unclear += map(str, record.problems(names)[: max(0, readings.MANY - len(unclear))])
            continue
        yield record.line, dict(zip(names, record.cells, strict=True))


def _columns(header: Record | Problem, source: str) -> list[str]:
    """The names of the columns. Raises BadInput: one is missing or there twice, or this is no CSV."""
    if isinstance(header, Problem):
        raise BadInput(f"{source} is not a CSV file", why=str(header), fix="export it again")
    names = [name.lower() for name in header.cells]
    missing = [name for name in readings.REQUIRED if name not in names]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"{source}: column {plain(twice)} is there twice", fix="take one of them out")
    if missing:
        raise BadInput(
            f"{source}: column {missing[0]} is missing",
            why=f"found: {plain(', '.join(names)) or 'nothing'}",
            fix=f"the first line must be: {','.join(readings.COLUMNS)}",
        )
    return names
