"""What people have to tell: payout addresses that wait for the owner's word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.core.text import plain
from valtrac.people.destinations import waiting

(WAITS,) = KINDS = (
    EventKind("people.address-waits", "An address waits for your word", Severity.WARNING, "An address waits no more"),
)


@dataclass(frozen=True, slots=True)
class PeopleEvents:
    """The events of the people in one database."""

    engine: sa.Engine
    quarantine: timedelta

    name = "people"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """None: an address that waits is a state."""
        return ()

    def states(self, now: datetime) -> Iterable[Event]:
        """Addresses to which nothing is paid: they are new, or may change hands."""
        for wait in waiting(self.engine, self.quarantine):
            until = "" if wait.until is None else f", until {wait.until:%Y-%m-%d %H:%M} UTC"
            words = f"Nothing is paid to {plain(wait.whom, 80)} at {wait.address}: {wait.reason}{until}."
            fix = "look at it under Policies and waiting addresses, or: run.py users waiting"
            yield Event(f"{WAITS.name}:{wait.whom}:{wait.address}", WAITS.name, now, words, plain(wait.whom, 60), fix)

    def status(self, now: datetime) -> Status | None:
        """How many addresses wait; None where none does."""
        count = len(waiting(self.engine, self.quarantine))
        return Status(f"{count} addresses wait for your word", f"{count} addresses wait") if count else None
