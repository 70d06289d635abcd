"""Reading a backup back: into a scratch folder to see that it is whole, or into the place of what is here."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from valtrac.backups.making import LAYOUT, MANIFEST, Home, digest_of
from valtrac.backups.model import rotation
from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.home import for_its_owner
from valtrac.core.text import plain

BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database
MOST_FILES = 100
BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    tarfile.TarError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
)
Audit = Callable[[Path], list[str]]  # what is wrong with the copy of a database, in words
Mark = Callable[[Path, datetime], None]  # write into the copy of a database that it was restored


@dataclass(frozen=True, slots=True)
class Whole:
    """A backup that was read back. made_at: UTC; sizes: name -> bytes; problems: what its databases do not stand up
    to, in words."""

    made_at: datetime
    sizes: Mapping[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place. aside: where what was there before is now, None where nothing was; kept: the lists of
    payments that stayed as they are."""

    made_at: datetime
    databases: tuple[str, ...]
    aside: Path | None
    kept: tuple[str, ...]


def verify(path: Path, *, secret: str = "", audit: Audit) -> Whole:
    """Read a backup back into a scratch folder, and audit its databases there. secret: the key of a sealed one.

    Raises BadInput where it cannot be read back: cut off, changed, sealed for another key.
    """
    with _unpacked(path, secret) as (folder, manifest):
        return _whole(folder, manifest, audit)


def restore(home: Home, path: Path, *, secret: str = "", audit: Audit, mark: Mark, now: datetime) -> Restored:
    """Put the databases of a backup in the place of those that are here, which are moved aside, never deleted.

    Lists of payments that are here stay: they may know what the backup does not. Every database is marked as restored
    before it stands in its place. Nothing may be running. Raises BadInput where the backup cannot be used or is not
    sound, ValtracError where it cannot be put in place; what was moved aside is named then.
    """
    with _unpacked(path, secret, beside=_folder_of(home)) as (folder, manifest):
        whole = _whole(folder, manifest, audit)
        if whole.problems:
            raise BadInput(f"{plain(path.name)} is not sound", fix="take an older one", problems=list(whole.problems))
        strange = [name for name in manifest if name not in home.databases and name not in home.logs]
        if strange or not set(home.databases) & set(manifest):
            raise BadInput(
                f"{plain(path.name)} has no place here",
                why=f"these settings know no {plain(', '.join(strange)) or 'database of it'}",
                fix="set the networks and databases as they were when it was made",
            )
        for name, target in home.databases.items():
            if name in manifest:
                mark(folder / name, whole.made_at)
                if target.exists():  # whoever still has it open pays nobody either
                    with suppress(Exception):
                        mark(target, whole.made_at)
        return _placed(home, folder, manifest, whole.made_at, now)


def _folder_of(home: Home) -> Path:
    """A folder on the disk of the databases, so that they can be moved into place at once."""
    first = next(iter(home.databases.values()))
    first.parent.mkdir(parents=True, exist_ok=True)
    return first.parent


def _placed(home: Home, folder: Path, manifest: Mapping[str, Any], made_at: datetime, now: datetime) -> Restored:
    aside = _new_folder(_folder_of(home) / f"before-restoring-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    placed, kept = list[str](), list[str]()
    try:
        for name, target in home.databases.items():
            if name in manifest:
                _put_aside(target, aside, name)
                os.replace(folder / name, target)
                placed.append(name)
        for name, target in home.logs.items():
            if target.exists():
                kept.append(target.name)
            elif name in manifest:
                target.parent.mkdir(parents=True, exist_ok=True)
                (folder / name).chmod(0o600)
                shutil.move(folder / name, target.with_name(f"{target.name}.restored"))
                os.replace(target.with_name(f"{target.name}.restored"), target)
    except (OSError, sqlite3.Error) as error:
        raise ValtracError(
            "the backup was put in place in part",
            why=f"{plain(getattr(error, 'strerror', None) or error)}; what was here before is in {plain(aside)}",
            fix="make room, and restore again, or move those files back",
        ) from error
    moved = any(aside.iterdir())
    if not moved:
        aside.rmdir()
    return Restored(made_at, tuple(placed), aside if moved else None, tuple(kept))


def _new_folder(path: Path) -> Path:
    """A folder that was not there, of this name or with a number behind it."""
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
    if not target.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(target, timeout=5)) as conn:  # one that is broken stays so
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(target, aside / name)
    for ending in BESIDE:
        old = target.with_name(target.name + ending)
        if old.exists():
            os.replace(old, aside / f"{name}{ending}")


def _whole(folder: Path, manifest: Mapping[str, Any], audit: Audit) -> Whole:
    problems = list[str]()
    for name in manifest:
        if _is_database(folder / name):
            problems += [f"{plain(name)}: {words}" for words in _integrity(folder / name) or audit(folder / name)]
    made_at = datetime.fromisoformat(json.loads((folder / MANIFEST).read_bytes())["made_at"])
    return Whole(made_at, {name: (folder / name).stat().st_size for name in manifest}, tuple(problems))


def _is_database(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _integrity(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as conn:
        try:
            found = [row[0] for row in conn.execute("PRAGMA integrity_check(5)")]
        except sqlite3.Error as error:
            return [plain(error)]
    return [] if found == ["ok"] else [plain(words) for words in found]


@contextmanager
def _unpacked(path: Path, secret: str, beside: Path | None = None) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """(a scratch folder with the files of a backup, what its manifest says of them), each compared with that."""
    name = rotation.parsed(path.name)
    if name is None or not path.is_file():
        raise BadInput(f"{plain(path.name)} is no backup", fix="see which there are: run.py backup list")
    if name.sealed and not secret:
        raise BadInput("the backup is sealed", fix="give its secret key: --secret-stdin")
    with tempfile.TemporaryDirectory(prefix=".reading-back-", dir=beside) as scratch:
        folder = Path(scratch)
        try:
            with open(path, "rb") as file:
                _extract(_opened(file, secret if name.sealed else ""), folder)
            manifest = _compared(folder)
        except BROKEN as error:
            raise BadInput(
                f"{plain(path.name)} cannot be read back",
                why=f"it is cut off or was changed ({plain(error, 120)})",
                fix="take another one: run.py backup list",
            ) from error
        yield folder, manifest


def _opened(file: BinaryIO, secret: str) -> BinaryIO:
    if not secret:
        return file
    from io import BufferedReader

    from valtrac.backups.sealing import Opening, secret_key

    return cast("BinaryIO", BufferedReader(Opening(file, secret_key(secret))))


def _extract(source: BinaryIO, folder: Path) -> None:
    """The plain files of an archive, by their last names only; anything else in it is refused."""
    with gzip.GzipFile(fileobj=source, mode="rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        for place, entry in enumerate(tar):
            if not entry.isreg() or "/" in entry.name or entry.name.startswith(".") or place >= MOST_FILES:
                raise ValueError(f"{entry.name!r} has no place in a backup")
            content = tar.extractfile(entry)
            if content is None:
                raise ValueError(f"{entry.name!r} has no content")
            with open(folder / entry.name, "xb", opener=for_its_owner) as target:
                shutil.copyfileobj(content, target)
        while packed.read(1 << 20):  # to the end, where it is seen whether anything is missing
            pass


def _compared(folder: Path) -> Mapping[str, Any]:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    if manifest["layout"] != LAYOUT:
        raise ValueError("it was written by another version")
    if datetime.fromisoformat(manifest["made_at"]).tzinfo is None:
        raise ValueError("it does not say when it was made")
    files: dict[str, Any] = manifest["files"]
    if {path.name for path in folder.iterdir()} != {*files, MANIFEST}:
        raise ValueError("its files are not those that it lists")
    for name, facts in files.items():
        if digest_of(folder / name) != facts["sha256"]:
            raise ValueError(f"{name} is not what was written")
    return files
