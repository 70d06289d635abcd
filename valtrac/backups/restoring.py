"""Reading a backup back: into a scratch folder to see that it is whole, or into the place of what is here."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from valtrac.backups.making import LAYOUT, MANIFEST, Home, digest_of
from valtrac.backups.model import rotation
from valtrac.backups.placing import place
from valtrac.core.errors import BadInput, Refused
from valtrac.core.home import for_its_owner
from valtrac.core.text import plain

MOST_FILES = 100
ROOM_LEFT = 64 * 2**20  # bytes that unpacking leaves free on a disk
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
    """What was put in place. asides: where what was there before is now; kept: the lists of payments that stayed as
    they are."""

    made_at: datetime
    databases: tuple[str, ...]
    asides: tuple[Path, ...]
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
        placed = place(home, folder, manifest, now)
        return Restored(whole.made_at, placed.databases, placed.asides, placed.kept)


def _folder_of(home: Home) -> Path:
    """A folder on the disk of the databases, so that they can be moved into place at once."""
    first = next(iter(home.databases.values()))
    first.parent.mkdir(parents=True, exist_ok=True)
    return first.parent


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
            if entry.size > shutil.disk_usage(folder).free - ROOM_LEFT:
                raise Refused(
                    "there is no room to unpack the backup",
                    why=f"{plain(entry.name)} alone has {entry.size:,} bytes",
                    fix=f"make room on the disk of {plain(folder.parent)}",
                )
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
