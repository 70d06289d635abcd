"""Alerts for tests: a source that tells what it is given, a notifier that remembers, a clock that is set by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from valtrac.alerts import rounds, targets
from valtrac.alerts.alerting import Alerting, Health
from valtrac.alerts.events import OwnEvents
from valtrac.alerts.rounds import Round
from valtrac.alerts.settings import AlertSettings
from valtrac.core.events import OWNER, Event, EventKind, Message, Sent, Severity, Status
from valtrac.database.opening import open_engine

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PAID = EventKind("shop.paid", "Paid")
BROKEN = EventKind("shop.broken", "Broken", Severity.CRITICAL, "Mended", timedelta(minutes=15))
SHUT = EventKind("shop.shut", "Shut", Severity.WARNING, "Open again")


@dataclass
class Source:
    """A source in memory: facts with the time they were written down, states that hold."""

    written: list[Event] = field(default_factory=list)
    holding: list[Event] = field(default_factory=list)
    broken: bool = False

    name = "shop"
    kinds = (PAID, BROKEN, SHUT)

    def facts(self, since: datetime) -> Iterable[Event]:
        if self.broken:
            raise ValueError("its shelf fell down at wss://node.example/key-1234")
        return [event for event in self.written if event.at >= since]

    def states(self, now: datetime) -> Iterable[Event]:
        return list(self.holding)

    def status(self, now: datetime) -> Status | None:
        return Status("12 things on the shelf", "shelf 12")

    def tells(self, *ids: str, at: datetime, **more: object) -> None:
        """Facts of these ids."""
        self.written += [Event(f"shop.paid:{one}", PAID.name, at, f"{one} was paid.", **more) for one in ids]  # type: ignore[arg-type]


@dataclass
class Notifier:
    """Remembers what it was given. down: addresses that take nothing now."""

    taken: list[tuple[str, Message]] = field(default_factory=list)
    down: set[str] = field(default_factory=set)

    def send(self, address: str, message: Message) -> Sent:
        if address in self.down:
            return Sent(False, "nobody there")
        self.taken.append((address, message))
        return Sent(True)


class World:
    """One outbox. Addresses are the names of targets."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.now, self.source, self.notifier = NOON, Source(), Notifier()
        given = {"alerts_daily": "none", "alerts_quiet": ("none",), **settings}
        self.settings = AlertSettings(home=folder, **given)  # type: ignore[arg-type]
        self.engine = open_engine(self.settings.alerts_database)
        self.addresses, self.calls = dict[str, str](), list[str]()
        self.alerting = self.opened()

    def opened(self) -> Alerting:
        """As a new process opens it."""
        health = Health()
        sources = (self.source, OwnEvents(self.engine, health))
        return Alerting(self.engine, self.settings, sources, self.notifier, self, "LD18", health)

    def of(self, name: str) -> str:
        return self.addresses.get(name, "")

    def set(self, **settings: object) -> None:
        """Other settings from now on."""
        self.settings = AlertSettings(**{**self.settings.model_dump(), **settings})
        self.alerting = replace(self.alerting, settings=self.settings)

    def target(self, name: str, audience: str = OWNER, **more: object) -> None:
        asked = targets.NewTarget(name, "json://127.0.0.1/x", audience, **more)  # type: ignore[arg-type]
        targets.add(self.engine, asked, lambda name, address: self.addresses.update({name: name}))

    def round(self, after: timedelta = timedelta(seconds=5)) -> Round:
        """Some time goes by, then a round."""
        self.now += after
        return rounds.go_round(self.alerting, lambda: self.now, self.calls.append)

    def rounds(self, count: int, after: timedelta = timedelta(seconds=5)) -> None:
        for _ in range(count):
            self.round(after)

    def tell(self, *ids: str, **more: object) -> None:
        """Facts that are written down now."""
        self.source.tells(*ids, at=self.now, **more)

    def told(self, name: str) -> list[Message]:
        return [message for address, message in self.notifier.taken if address == name]

    def bodies(self, name: str) -> str:
        return "\n".join(f"{message.title}\n{message.body}" for message in self.told(name))


def local(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def all_codes(messages: Sequence[Message]) -> list[str]:
    """The codes in messages, in order."""
    import re

    return [code for message in messages for code in re.findall(r"V-[0-9a-f]{8}", message.body)]
