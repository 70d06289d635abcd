"""What the program asks of those who have something to tell, and of those who deliver it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from valtrac.core.events import Event, EventKind, Message, Sent, Status


class EventSource(Protocol):
    """Whatever has something to tell, read out of what it has stored anyway. It is asked, so that telling delays and
    stops nothing and survives a crash. It may raise whatever it likes: the others are read all the same."""

    @property
    def name(self) -> str:
        """Its own among all sources, for ever: how far it was read is kept under it."""
        ...

    @property
    def kinds(self) -> tuple[EventKind, ...]:
        """Every kind of event that it may offer."""
        ...

    def facts(self, since: datetime) -> Iterable[Event]:
        """What was written down since then, in any order. It is asked for several times, with the same id each time."""
        ...

    def states(self, now: datetime) -> Iterable[Event]:
        """What holds now. A state that is missing is over, so raise where it cannot be known."""
        ...

    def status(self, now: datetime) -> Status | None:
        """How it stands; None where it has nothing to say."""
        ...


class Notifier(Protocol):
    """What delivers one message to one target."""

    def send(self, address: str, message: Message) -> Sent:
        """Deliver to the address of a target, within a set time. Never raises, and tells nothing of the address."""
        ...
