"""Handing messages over by apprise: mail, text messages, Telegram, Discord, Slack, ntfy, webhooks and many more by URL.

apprise is loaded here only, and this only where something is delivered or an address is looked at.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
from typing import Any
from urllib.parse import unquote, urlsplit

from valtrac.core.errors import BadInput
from valtrac.core.events import Message, Sent, Severity
from valtrac.core.text import plain

CONNECT_S, ANSWER_S = 5, 10
DEADLINE_S = 45.0  # whatever a service does: after so long nobody waits for it any more
LONGEST_URL = 2_000
SHORTEST_SECRET = 4
TYPES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}
# services whose private form shows who receives, and hides the rest
TELLING = ("mailto", "mailtos")
# the first part of these is the topic or the token itself, where no server is named
NAMELESS = ("ntfy", "ntfys")
# these do something on this machine in the place of telling somebody
LOCAL = ("syslog", "dbus", "qt", "glib", "kde", "gnome", "macosx", "windows")


class AppriseNotifier:
    """A Notifier that knows the URLs of apprise. Each message is handed over on a thread of its own, which is left
    alone where the service does not come to an end."""

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self.deadline_s = deadline_s

    def send(self, address: str, message: Message) -> Sent:
        """As of the port."""
        answers: queue.SimpleQueue[Sent] = queue.SimpleQueue()
        work = threading.Thread(target=lambda: answers.put(_handed_over(address, message)), name="alert", daemon=True)
        work.start()
        try:
            return answers.get(timeout=self.deadline_s)
        except queue.Empty:
            return Sent(False, f"no end within {self.deadline_s:.0f} s; it may have arrived all the same")


def shown(address: str) -> str:
    """An address without anything that opens it. Raises BadInput, which does not repeat it, where nobody can be told
    by it."""
    service = _service(address)
    if service is None:
        raise BadInput(
            "this is no address that alerts can be sent to",
            why="it is written as a URL of apprise, with %-signs for special letters in passwords",
            fix="see docs/how-to/alerts.md; like mailto://USER:PASSWORD@gmail.com, tgram://TOKEN/CHAT, ntfy://TOPIC",
        )
    private = urlsplit(str(service.url(privacy=True)))
    scheme, host, path = private.scheme, private.netloc, unquote(private.path).strip("/")
    if scheme in TELLING:
        return plain(f"{scheme}://{host}{'/' + path if path else ''}", 200)
    if scheme in NAMELESS and not path:
        host = ""
    return plain(f"{scheme}://{host.rpartition('@')[2]}/...", 200)


def _handed_over(address: str, message: Message) -> Sent:
    try:
        import apprise

        service = _service(address)
        if service is None:
            return Sent(False, "its address cannot be used any more")
        told = apprise.Apprise(asset=service.asset)
        told.add(service)
        result = told.notify(
            title=message.title,
            body=_fitted(message, int(service.body_maxlen)),
            notify_type=apprise.NotifyType(TYPES[message.severity]),
            body_format=apprise.NotifyFormat.TEXT,
            log_level=logging.DEBUG,
        )
        return Sent(True) if result else Sent(False, _why(result, address))
    except Exception as error:  # whatever a service's code does: the others are told all the same
        return Sent(False, without_secrets(f"{type(error).__name__}: {error}", address))


def _service(address: str) -> Any:
    """What apprise makes of an address; None where that is nothing, or would tell this machine alone."""
    import apprise

    own_log = logging.getLogger("apprise")
    own_log.setLevel(logging.DEBUG)  # what a server says in answer to a login is told at this level only
    own_log.propagate = False
    address = address.strip()
    if not address or len(address) > LONGEST_URL or plain(address, LONGEST_URL) != address:
        return None
    asset = apprise.AppriseAsset(async_mode=False, secure_logging=True, app_id="ValTrac", app_desc="ValTrac")
    service = apprise.Apprise.instantiate(_completed(address), asset=asset)
    return None if service is None or address.partition(":")[0].lower() in LOCAL else service


def _completed(address: str) -> str:
    """An address with limits on how long its service may take, and mails as plain text (a text message is made of
    some), where it says nothing else itself."""
    _, _, query = address.partition("?")
    wanted = {"cto": str(CONNECT_S), "rto": str(ANSWER_S)}
    wanted |= {"format": "text"} if address.partition(":")[0].lower() in TELLING else {}
    missing = [f"{name}={value}" for name, value in wanted.items() if not re.search(rf"(^|&){name}=", query)]
    if not missing or address.startswith("https://"):  # a service's own page: its query is the service's matter
        return address
    return address + ("&" if query else "" if address.endswith("?") else "?") + "&".join(missing)


def _fitted(message: Message, most: int) -> str:
    """A body that the service takes whole, its title included where it has no place for one."""
    room = most - len(message.title) - 2
    return message.body if len(message.body) <= room or room < 40 else message.body[: room - 1] + "…"


def _why(result: Any, address: str) -> str:
    """What the service said, as far as it is told, without anything of the address that opens it."""
    said = list[str]()
    for service in result.results:
        for attempt in service.attempts:
            if attempt.status.name == "TIMEOUT":
                said.append("it did not answer in time")
            for entry in attempt.logs:
                answer = str(entry.message).removeprefix("Socket Exception: ")
                if entry.level in ("WARNING", "ERROR", "CRITICAL") or answer != entry.message:
                    said.append(answer)
    return without_secrets("; ".join(dict.fromkeys(said)) or "it was refused", address)


def without_secrets(words: str, address: str) -> str:
    """Words in which nothing of an address stands but its scheme and its host."""
    parts = urlsplit(address)
    known = {parts.scheme.lower(), "", *_pieces(parts.netloc.rpartition("@")[2] if parts.scheme in TELLING else "")}
    whole = [parts.username or "", parts.password or "", *parts.path.split("/"), *re.split("[&=]", parts.query)]
    pieces = {unquote(text).lower() for text in whole if len(unquote(text)) >= SHORTEST_SECRET}
    pieces |= {piece for text in (address, unquote(address)) for piece in _pieces(text)}
    for piece in sorted(pieces - known, key=len, reverse=True):
        words = re.sub(re.escape(piece), "***", words, flags=re.IGNORECASE)
    return plain(words, 300)


def _pieces(text: str) -> set[str]:
    """What may be a secret in a URL: whatever stands between two signs, and is long enough to be one."""
    return {piece.lower() for piece in re.split(r"[/?&=:@#,\s]+", text) if len(piece) >= SHORTEST_SECRET}
