"""The names of backups, and which of them are kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

NEWEST, DAYS, WEEKS, MONTHS = 12, 14, 8, 12
SEALED = ".sealed"
_NAME = re.compile(r"valtrac-(\d{8}T\d{6}Z)\.tar\.gz(\.sealed)?", re.ASCII)
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """The name of a backup. at: when it was begun, UTC, whole seconds; sealed: only the secret key opens it."""

    at: datetime
    sealed: bool

    def __str__(self) -> str:
        return f"valtrac-{self.at:{_TIME}}.tar.gz{SEALED if self.sealed else ''}"


def parsed(text: str) -> Name | None:
    """The name that a file has, None where it is no backup's."""
    found = _NAME.fullmatch(text)
    if found is None:
        return None
    try:
        return Name(datetime.strptime(found[1], _TIME).replace(tzinfo=UTC), bool(found[2]))
    except ValueError:
        return None


def kept(names: Iterable[Name]) -> set[Name]:
    """Those that stay: the newest twelve, and the last of each of the newest 14 days, 8 weeks and 12 months that have
    one. Days without any count for nothing, so that an installation that rests loses none of its backups."""
    ordered = sorted(names, reverse=True)
    stay = set(ordered[:NEWEST])
    for most, part in ((DAYS, "%Y-%m-%d"), (WEEKS, "%G-%V"), (MONTHS, "%Y-%m")):
        last = dict[str, Name]()
        for name in ordered:
            last.setdefault(f"{name.at:{part}}", name)
        stay.update(list(last.values())[:most])
    return stay
