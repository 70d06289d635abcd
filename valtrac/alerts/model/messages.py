"""Alerts as words: a long form for mails and chats, a form of at most 160 characters for text messages. Pure.

Whatever comes from chains and people is cleaned on its way in here: no control characters, nothing that calls a whole
channel together, nothing that a chat or a mail program makes a link of.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from valtrac.core.events import Event, Message, Severity
from valtrac.core.text import plain

SMS = 160
LISTED = 20  # so many alerts stand in a digest with their words; the rest is counted
LONGEST_LINE, LONGEST_BODY = 600, 8_000
MARKS = {Severity.INFO: "", Severity.WARNING: "! ", Severity.CRITICAL: "!! "}
_CALLS = re.compile(r"@(?=everyone|here|channel|all\b)", re.IGNORECASE)
_GSM = str.maketrans({"…": "...", "·": ".", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "\xa0": " "})


@dataclass(frozen=True, slots=True)
class Alert:
    """An event as it is told. title: of its kind, or of the kind's end."""

    event: Event
    severity: Severity
    title: str

    @property
    def code(self) -> str:
        """What it is known again by, in every message that it is in: `V-` and eight signs."""
        return code_of(self.event.id)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells: the name of the machine, or the one that others hear, and the time zone of whoever reads.

    to_owner: whether ids and commands are of use to whoever reads."""

    machine: str
    zone: ZoneInfo
    to_owner: bool = True


def code_of(*ids: str) -> str:
    """A short name for one id, or for several together: the same for the same."""
    return "V-" + hashlib.sha256("\n".join(ids).encode()).hexdigest()[:8]


def clean(text: object, limit: int = LONGEST_LINE) -> str:
    """One line that is harmless wherever it is shown."""
    line = _CALLS.sub("(at)", plain(text, limit))
    return line.replace("://", ":/ /").replace("<!", "< !").replace("](", "] (")


def clean_lines(text: str, limit: int = LONGEST_BODY) -> str:
    """Several lines, each harmless, no longer than the limit together."""
    whole = "\n".join(clean(line) for line in text.replace("\r\n", "\n").split("\n")).strip()
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def long_form(alert: Alert, sender: Sender) -> Message:
    """One alert for a mail or a chat: what happened, amounts, transactions, what to do, when, and its id."""
    event = alert.event
    lines = [event.words]
    lines += [f"{name}: {value}" for name, value in event.figures]
    if event.amounts:
        lines.append(f"Amount: {', '.join(map(str, event.amounts))}")
    lines += [f"Transaction: {tx_id}" for tx_id in event.tx_ids[:LISTED]]
    if len(event.tx_ids) > LISTED:
        lines.append(f"and {len(event.tx_ids) - LISTED} more transactions")
    if event.fix:
        lines.append(f"What to do: {event.fix}")
    known_by = f" ({event.id})" if sender.to_owner else ""
    lines += ["", f"{moment(event.at, sender.zone)} · {sender.machine}", f"Alert {alert.code}{known_by}"]
    title = f"{MARKS[alert.severity]}{alert.title} · {sender.machine}"
    return Message(clean(title, 200), clean_lines("\n".join(lines)), alert.severity)


def sms_form(alert: Alert, sender: Sender) -> Message:
    """One alert for a text message: at most 160 characters, subject and all, and none that takes the room of two."""
    words = alert.event.short or alert.event.words
    return _sms(f"{MARKS[alert.severity]}{alert.title}: {words}", alert.code, alert.severity, sender)


def digest(alerts: Sequence[Alert], sender: Sender, why: str, command: str) -> Message:
    """Many alerts in one message, the worst first; each is listed, or counted with others of its title. command: shows
    each of them."""
    ordered = _worst_first(alerts)
    lines = [f"{len(alerts):,} alerts{why}.", ""]
    for alert in ordered[:LISTED]:
        moment = alert.event.at.astimezone(sender.zone)
        lines.append(
            f"{moment:%H:%M:%S} {MARKS[alert.severity]}{alert.title}: {clean(alert.event.words, 200)} ({alert.code})"
        )
    rest = Counter(alert.title for alert in ordered[LISTED:])
    lines += [f"and {count:,} more: {title}" for title, count in rest.most_common(LISTED)]
    if len(rest) > LISTED:
        lines.append(f"and others of {len(rest) - LISTED} more kinds")
    code = code_of(*(alert.event.id for alert in alerts))
    lines += ["", *([f"Each of them: {command}"] if sender.to_owner else []), f"{sender.machine} · digest {code}"]
    title = f"{MARKS[ordered[0].severity]}{len(alerts):,} alerts · {sender.machine}"
    return Message(clean(title, 200), clean_lines("\n".join(lines)), ordered[0].severity)


def sms_digest(alerts: Sequence[Alert], sender: Sender) -> Message:
    """Many alerts in one text message: how many of what, the worst first."""
    ordered = _worst_first(alerts)
    counted = Counter(alert.title for alert in ordered)
    words = ", ".join(f"{count:,} x {title}" if count > 1 else title for title, count in counted.items())
    code = code_of(*(alert.event.id for alert in alerts))
    return _sms(f"{MARKS[ordered[0].severity]}{len(alerts):,} alerts: {words}", code, ordered[0].severity, sender)


def fitted_sms(title: str, body: str, severity: Severity) -> Message:
    """A title and a body cut to what one text message holds, the title going first."""
    title = _gsm(clean(title, 40))
    room = SMS - len(title) - (1 if title else 0)
    body = _gsm(clean(body.replace("\n", " "), 2 * SMS))
    return Message(title, body if len(body) <= room else body[: room - 3] + "...", severity)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A time in UTC, and by the reader's clock where that is another one."""
    utc = f"{at.astimezone(ZoneInfo('UTC')):%Y-%m-%d %H:%M:%S} UTC"
    return utc if zone.key == "UTC" else f"{utc} ({at.astimezone(zone):%H:%M} {zone.key})"


def _worst_first(alerts: Sequence[Alert]) -> list[Alert]:
    order = [Severity.CRITICAL, Severity.WARNING, Severity.INFO]
    return sorted(alerts, key=lambda alert: (order.index(alert.severity), alert.event.at))


def _sms(words: str, code: str, severity: Severity, sender: Sender) -> Message:
    title = _gsm(clean(sender.machine, 20))
    tail = f" {code}"
    room = SMS - len(title) - 1 - len(tail)
    body = _gsm(clean(words.replace("\n", " "), 2 * SMS))
    return Message(title, (body if len(body) <= room else body[: room - 3] + "...") + tail, severity)


def _gsm(text: str) -> str:
    """Letters of which a text message holds 160: any other would make it hold 70."""
    return text.translate(_GSM).encode("ascii", "replace").decode()
