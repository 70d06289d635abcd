"""What the verbs of alerts work with, and the catalogue of everything that may be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from valtrac.alerts.model.messages import Sender
from valtrac.alerts.settings import AlertSettings
from valtrac.core.events import OWNER, EventKind
from valtrac.ports import EventSource, Notifier


class Addresses(Protocol):
    """Where the addresses of targets are kept: they hold secrets."""

    def of(self, name: str) -> str:
        """The address of a target; "" where it cannot be had now."""
        ...


@dataclass(slots=True)
class Health:
    """What one process remembers from round to round, and needs not remember longer.

    unread: source -> since when it cannot be read, and why. missing: target whose address is not at hand -> since when.
    templates: what is wrong with the owner's templates. pinged_at: the last sign of life.
    """

    unread: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    missing: dict[str, datetime] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    pinged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alerting:
    """Alerts as one process runs them. machine: what it is called in every message."""

    engine: sa.Engine
    settings: AlertSettings
    sources: Sequence[EventSource]
    notifier: Notifier
    addresses: Addresses
    machine: str
    health: Health = field(default_factory=Health)

    def sender(self, audience: str) -> Sender:
        """Who tells: the owner hears the name of this machine, others one that he chose."""
        to_owner = audience == OWNER
        name = self.machine if to_owner else self.settings.alerts_public_name
        return Sender(name, self.settings.alerts_zone, to_owner)


def catalogue(sources: Iterable[EventSource]) -> dict[str, EventKind]:
    """name -> kind of everything that the sources may tell."""
    return named(kind for source in sources for kind in source.kinds)


def named(kinds: Iterable[EventKind]) -> dict[str, EventKind]:
    """Kinds by their names. Raises ValueError where two of one name are not the same."""
    by_name = dict[str, EventKind]()
    for kind in kinds:
        if by_name.setdefault(kind.name, kind) != kind:
            raise ValueError(f"the kind {kind.name} is declared twice, and not the same")
    return dict(sorted(by_name.items()))
