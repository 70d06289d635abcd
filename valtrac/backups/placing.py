"""Putting the files of a backup in the place of what is here: all of them beside their places first, on whatever disks
those are, and then each by one rename."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from valtrac.backups.making import Home
from valtrac.core.errors import ValtracError
from valtrac.core.text import plain

BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database


@dataclass(frozen=True, slots=True)
class Placed:
    """asides: where what was there before is now, a folder for each that databases are in; kept: the lists of payments
    that stayed as they are."""

    databases: tuple[str, ...]
    asides: tuple[Path, ...]
    kept: tuple[str, ...]


def place(home: Home, folder: Path, names: Collection[str], now: datetime) -> Placed:
    """Put files of a folder into their places; what is there is moved aside, lists of payments that are there stay.

    Raises ValtracError: where nothing could be put beside its place, nothing was changed; later, it says what was.
    """
    databases = {name: target for name, target in home.databases.items() if name in names}
    logs = {name: target for name, target in home.logs.items() if name in names and not target.exists()}
    kept = tuple(target.name for target in home.logs.values() if target.exists())
    ready = _beside(folder, {**databases, **logs})
    asides = dict[Path, Path]()
    try:
        for name, target in databases.items():
            if target.exists():
                aside = asides.get(target.parent) or _new_folder(target.parent, now)
                asides[target.parent] = aside
                _put_aside(target, aside, name)
            os.replace(ready.pop(name), target)
        for name, target in logs.items():
            os.replace(ready.pop(name), target)
    except (OSError, sqlite3.Error) as error:
        moved = ", ".join(plain(aside) for aside in asides.values()) or "its place"
        raise ValtracError(
            "the backup was put in place in part",
            why=f"{plain(getattr(error, 'strerror', None) or error)}; what was here before is in {moved}",
            fix="make room, and restore again, or move those files back",
        ) from error
    finally:
        _remove(ready.values())
    return Placed(tuple(databases), tuple(asides.values()), kept)


def _beside(folder: Path, targets: dict[str, Path]) -> dict[str, Path]:
    """name -> the file, whole, beside the place that it is for: from there one rename puts it in."""
    ready = dict[str, Path]()
    try:
        for name, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            ready[name] = target.with_name(f".{name}.restoring")
            shutil.copyfile(folder / name, ready[name])
            ready[name].chmod(0o600)
            with open(ready[name], "rb+") as file:
                os.fsync(file.fileno())
    except OSError as error:
        _remove(ready.values())
        raise ValtracError(
            "the backup could not be put beside what is here",
            why=plain(error.strerror or error),
            fix="make room, or give yourself the right to the folder; nothing was changed",
        ) from error
    return ready


def _remove(paths: Collection[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _new_folder(parent: Path, now: datetime) -> Path:
    """A folder that was not there, named by the time, or with a number behind it."""
    path = parent / f"before-restoring-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    for number in range(1, 1000):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(0, f"{path.name} is there already", str(path))


def _put_aside(target: Path, aside: Path, name: str) -> None:
    """Keep a database that is here under another name, whole in one file; its own name is never missing."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(target, timeout=5)) as conn:  # one that is broken stays so
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try:
        os.link(target, aside / name)
    except OSError:  # a disk without hard links, as of a stick or a share
        shutil.copyfile(target, aside / name)
        (aside / name).chmod(0o600)
    for ending in BESIDE:
        old = target.with_name(target.name + ending)
        if old.exists():
            os.replace(old, aside / f"{name}{ending}")
