"""What an examination is given to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from valtrac.database.condition import Condition, look
from valtrac.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Patient:
    """One installation at one moment."""

    settings: Settings
    now: datetime = field(default_factory=_now)
    _seen: dict[str, Condition] = field(default_factory=dict)

    def databases(self) -> dict[str, Condition]:
        """name of the setting -> how that database is, of every business; each is looked at once."""
        kind = type(self.settings)
        names = [name for name in sorted(dir(kind)) if name.endswith("database") and _is_property(kind, name)]
        return {name: self.condition(getattr(self.settings, name)) for name in names}

    def condition(self, database: str | Path) -> Condition:
        """How one database is."""
        key = str(database)
        if key not in self._seen:
            self._seen[key] = look(database)
        return self._seen[key]

    def usable(self, database: str | Path) -> bool:
        """Whether a database can be read without being changed first."""
        return self.condition(database).usable


def _is_property(kind: type, name: str) -> bool:
    return isinstance(getattr(kind, name, None), property)
