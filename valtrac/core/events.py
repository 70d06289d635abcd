"""What somebody may have to be told of: events, their kinds, and messages made of them. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from valtrac.core.money import Amount

OWNER, PUBLIC = "owner", "public"
PAYEE = "payee:"


class Severity(StrEnum):
    """info: good to know; warning: look at it today; critical: look at it now, money or record may be at risk."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


def payee(name: str) -> str:
    """The audience that is one payee alone, by the name or address under which the business pays it."""
    return PAYEE + name


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event, declared in one line by the source that offers it.

    name: the business, a point, and a word: `payouts.settled`. title: a few words, as the subject of a mail.
    over: the title when a state has ended; "" for a fact, which happens once.
    again_after: how long a state lasts until it is told again; None: once when it begins, once when it is over.
    routine: of no use when it comes late, so quiet hours drop it (an hourly status).
    """

    name: str
    title: str
    severity: Severity = Severity.INFO
    over: str = ""
    again_after: timedelta | None = None
    routine: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened (a fact), or that holds now (a state), as its business tells of it to one audience.

    id: the same for ever for the same fact: `payouts.settled:17`; of a state: the same for as long as it lasts, and
    when it comes again. at: when this program wrote it down (never the chain's time, which may be long ago); of a
    state: since when it holds, as far as is known.
    words: one sentence. short: the same for a text message, or "" where words will do. fix: the command that mends it.
    figures: further names and values. audience: owner, public, or `payee(name)`: it holds nothing that the
    others of its kind may not hear, so that who is told of a payout is never told of the wallet.
    severity: where it differs from that of its kind.
    """

    id: str
    kind: str
    at: datetime
    words: str
    short: str = ""
    fix: str = ""
    amounts: tuple[Amount, ...] = ()
    tx_ids: tuple[str, ...] = ()
    figures: tuple[tuple[str, str], ...] = ()
    audience: str = OWNER
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """How a business stands, for the hourly and the daily status. short: for a text message."""

    words: str
    short: str


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out to one target: title and body, cleaned, the id in the body; severity of the worst in it."""

    title: str
    body: str
    severity: Severity = Severity.INFO


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message to one target. taken: whether it was taken over for delivery. words: why not."""

    taken: bool
    words: str = ""
