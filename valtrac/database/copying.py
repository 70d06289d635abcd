"""Copies of SQLite databases that others may be writing to."""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from valtrac.core.home import for_its_owner

FOLDER = "backups"


def copy(source: Path, target: Path) -> None:
    """A consistent copy of a database, with what is in its log of writes. Raises sqlite3.Error, OSError."""
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(target)) as copied:
        live.execute("PRAGMA query_only = ON")
        live.backup(copied)
    target.chmod(0o600)


def before_migrating(database: Path, old: str, new: str) -> Path:
    """Keep a database as it was before its tables are changed, packed, beside the backups of its folder; where.

    Each time anew: an upgrade that failed may be tried again long after. Raises OSError; then nothing may be changed.
    """
    folder = database.parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{database.stem}-{old}-before-{new}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.sqlite.gz"
    with tempfile.TemporaryDirectory(prefix=".copying-", dir=folder) as scratch:
        plain, packed = Path(scratch) / "copy.sqlite", Path(scratch) / "copy.gz"
        try:
            copy(database, plain)
        except sqlite3.Error as error:
            raise OSError(0, f"{database.name} cannot be copied before its tables are changed: {error}") from error
        with open(plain, "rb") as content, open(packed, "wb", opener=for_its_owner) as file:
            with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as gz:
                shutil.copyfileobj(content, gz)
            file.flush()
            os.fsync(file.fileno())
        os.replace(packed, path)
    return path
