"""Making a backup while everything runs: a consistent copy of each database, and the lists of payments beside them."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from valtrac.backups.model import rotation
from valtrac.backups.model.rotation import Name
from valtrac.core.errors import Refused, ValtracError
from valtrac.core.home import for_its_owner
from valtrac.core.text import plain
from valtrac.database.copying import copy

MANIFEST = "manifest.json"
LAYOUT = 1
AHEAD = timedelta(minutes=5)  # a name of later than that was made with a clock that went wrong
SCRATCH = ".making-"
PART = ".part"  # the ending of a file that is not whole yet


@dataclass(frozen=True, slots=True)
class Home:
    """What there is to back up. databases, logs: name in the backup -> file; those that are not there are left out.
    elsewhere: in words, databases that are no files of ours."""

    databases: Mapping[str, Path]
    logs: Mapping[str, Path]
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made. dropped: older ones that were deleted by the rule."""

    path: Path
    size_bytes: int
    files: int
    dropped: tuple[str, ...]


def listed(folder: Path) -> list[tuple[Name, Path]]:
    """The backups in a folder, the newest first."""
    files = [(name, path) for path in folder.glob("valtrac-*") if (name := rotation.parsed(path.name)) is not None]
    return sorted(files, reverse=True)


def due(folder: Path, now: datetime, *, age_s: float) -> bool:
    """Whether the newest backup is older than so many seconds, or there is none."""
    newest = next((name for name, _ in listed(folder) if name.at <= now + AHEAD), None)
    return newest is None or (now - newest.at).total_seconds() > age_s


def make(home: Home, folder: Path, *, public: bytes | None, now: datetime) -> Made:
    """Write a backup and delete those that the rule does not keep. public: sealed for the holder of its secret half.

    Raises Refused where another process is at it, and ValtracError where it cannot be written; nothing half is left.
    """
    at = now.astimezone(UTC).replace(microsecond=0)
    with _alone(folder):
        name = Name(at, public is not None)
        path = folder / str(name)
        try:
            _clear(home, folder)
            # beside the databases: what is not sealed yet has no business in a folder that may be copied elsewhere
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=_beside(home)) as scratch:
                files = _copied(home, Path(scratch))
                part = folder / f"{name}{PART}"
                with open(part, "wb", opener=for_its_owner) as file:
                    _write(file, files, public, at)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(part, path)
                _sync(folder)
        except (OSError, sqlite3.Error) as error:
            (folder / f"{name}{PART}").unlink(missing_ok=True)
            raise ValtracError(
                "the backup cannot be written",
                why=plain(getattr(error, "strerror", None) or error),
                fix=f"make room, or name another folder: VALTRAC_BACKUP_FOLDER (now {plain(folder)})",
            ) from error
        return Made(path, path.stat().st_size, len(files), tuple(_rotated(folder)))


def _beside(home: Home) -> Path:
    """The folder of the first database that is there. Raises Refused where there is none."""
    here = next((path for path in home.databases.values() if path.is_file()), None)
    if here is None:
        raise Refused("there is no database to back up", fix="begin with one: run.py users import, or a rehearsal")
    return here.parent


def _clear(home: Home, folder: Path) -> None:
    """Remove what a process that was killed has left, of copies and of a backup that is not whole."""
    for left in _beside(home).glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    for part in folder.glob(f"valtrac-*{PART}"):
        part.unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = open(folder / ".lock", "ab", opener=for_its_owner)  # noqa: SIM115 - closed below
    except OSError as error:
        raise ValtracError(
            f"{plain(folder)} cannot be written to",
            why=plain(error.strerror),
            fix="name another: VALTRAC_BACKUP_FOLDER",
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused("another process is making a backup", fix="wait until it has done") from error
        yield


def _copied(home: Home, scratch: Path) -> dict[str, Path]:
    """Copies of everything. The lists come first: they never know more than the databases copied after them."""
    files = dict[str, Path]()
    for name, source in home.logs.items():
        if source.is_file():
            files[name] = scratch / f"list-{len(files)}"
            shutil.copyfile(source, files[name])
    for name, source in home.databases.items():
        if source.is_file():
            files[name] = scratch / f"database-{len(files)}"
            copy(source, files[name])
    return files


def _write(file: BinaryIO, files: Mapping[str, Path], public: bytes | None, at: datetime) -> None:
    """The files and what they are, packed, and sealed where there is a key."""
    facts = {name: {"bytes": path.stat().st_size, "sha256": digest_of(path)} for name, path in files.items()}
    manifest = json.dumps({"layout": LAYOUT, "made_at": at.isoformat(), "files": facts}, indent=2).encode()
    with (
        _through(file, public) as sink,
        gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        tar.addfile(_entry(MANIFEST, len(manifest), at), io.BytesIO(manifest))
        for name, path in files.items():
            with open(path, "rb") as content:
                tar.addfile(_entry(name, path.stat().st_size, at), content)


@contextmanager
def _through(file: BinaryIO, public: bytes | None) -> Iterator[BinaryIO]:
    if public is None:
        yield file
        return
    from valtrac.backups.sealing import Sealing

    with Sealing(file, public) as sealing:
        yield cast("BinaryIO", sealing)


def _entry(name: str, size: int, at: datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(at.timestamp())
    return entry


def _rotated(folder: Path) -> Iterator[str]:
    here = listed(folder)
    stay = rotation.kept(name for name, _ in here)
    for name, path in here:
        if name not in stay:
            try:
                path.unlink(missing_ok=True)
            except OSError:
                continue  # it is tried again with the next one
            yield path.name


def _sync(folder: Path) -> None:
    """The new name is on the disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
