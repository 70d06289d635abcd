"""Snapshots in CSV files: export, import, and the daily mirror that the logger keeps."""

from __future__ import annotations

import csv
import fcntl
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa

from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.snapshots.model import readings
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored

LARGEST_FILE_BYTES = 2 * 10**9


@dataclass(frozen=True, slots=True)
class Imported:
    """How many snapshots were new and how many were there already, and how many readings both had."""

    new: int
    known: int
    readings: int


def import_csv(engine: sa.Engine, path: Path) -> Imported:
    """Store the snapshots of a file, all or nothing; those stored already, equal, are passed over.

    Raises BadInput naming each bad row, its column and the fix; then nothing is stored.
    """
    snapshots, problems = readings.read(_numbered(path))
    if problems:
        raise BadInput(
            f"{plain(path.name)}: {len(problems)} rows cannot be read",
            why="nothing was imported",
            fix="mend the rows and import the file again",
            problems=problems,
        )
    if not snapshots:
        raise BadInput(f"{plain(path.name)} has no readings", fix="it holds only a header")
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


def export_csv(engine: sa.Engine, path: Path, hotkey: str, netuid: int | None, from_block: int, to_block: int) -> int:
    """Write a range of snapshots; return how many. Raises BadInput when the file cannot be written."""
    with reading(engine) as conn:
        history = stored.load(conn, hotkey, netuid, from_block, to_block)
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            _write(file, history, header=True)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written", why=plain(error.strerror), fix="choose a folder that you may write to"
        ) from error
    return len(history)


def mirror(folder: Path, snapshot: Snapshot) -> None:
    """Append a snapshot to its day's file, `stakes-YYYY-MM-DD.csv` (UTC); one writer at a time.

    Raises ValtracError when it cannot be written.
    """
    path = folder / f"stakes-{snapshot.at.astimezone(UTC).date().isoformat()}.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8", newline="") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _write(file, [snapshot], header=file.tell() == 0)
    except OSError as error:
        raise ValtracError(
            f"{path} cannot be written",
            why=f"{plain(error.strerror)}; the snapshot of block {snapshot.block} is in the database all the same",
            fix="make room, or make the folder writable",
        ) from error


def _write(file: TextIO, snapshots: Iterable[Snapshot], *, header: bool) -> None:
    rows = csv.writer(file, lineterminator="\n")
    if header:
        rows.writerow(readings.COLUMNS)
    for snapshot in snapshots:
        rows.writerows(readings.rows_of(snapshot))


def _numbered(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a file with their line numbers. Raises BadInput where it is no such file."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise BadInput(f"{plain(path)} is not a file", fix="name a CSV file")
        if facts.st_size > LARGEST_FILE_BYTES:
            raise BadInput(
                f"{plain(path.name)} is larger than {LARGEST_FILE_BYTES // 10**9} GB", fix="split it by days"
            )
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, strict=True)
            names = [name.strip().lower() for name in rows.fieldnames or ()]
            missing = [name for name in readings.REQUIRED if name not in names]
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise BadInput(f"{plain(path.name)}: column {plain(twice)} is there twice", fix="take one of them out")
            if missing:
                raise BadInput(
                    f"{plain(path.name)}: column {missing[0]} is missing",
                    why=f"found: {plain(', '.join(names)) or 'nothing'}",
                    fix=f"the first line must be: {','.join(readings.COLUMNS)}",
                )
            rows.fieldnames = names
            for row in rows:
                if None in row or None in row.values():
                    raise BadInput(
                        f"{plain(path.name)}, row {rows.line_num}: it has not as many cells as the header",
                        fix="mend the row",
                    )
                if any(row.values()):
                    yield rows.line_num, row
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{plain(path.name)} is not UTF-8 text", why=f"byte {error.start}", fix="save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise BadInput(f"{plain(path.name)} is not a CSV file", why=plain(error), fix="export it again") from error
    except OSError as error:
        raise BadInput(f"{plain(path)} cannot be read", why=plain(error.strerror), fix="check the name") from error
