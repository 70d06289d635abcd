"""The dead-man's switch: an address of the owner's that is called every few minutes while all is well.

Whoever is called there (healthchecks.io, an Uptime Kuma, a cron monitor) raises the alarm when no call comes: also when
this machine is off, where no alert of ours could be sent.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from valtrac.alerts.alerting import Alerting
from valtrac.alerts.delivery import without_secrets
from valtrac.alerts.events import TRIES, UNREAD_FOR
from valtrac.alerts.store import outbox
from valtrac.core.errors import BadInput
from valtrac.core.text import is_plain
from valtrac.database.engine import reading

NAME = "dead-man"  # under which its address is kept, beside those of the targets
TIMEOUT_S = 10.0


def check(address: str) -> str:
    """The address as it was given. Raises BadInput, which does not repeat it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and is_plain(address)
    except ValueError:
        usable = False
    if not usable:
        raise BadInput("this is no address that can be called", fix="give the whole one, like https://hc-ping.com/...")
    return address


def trouble(alerting: Alerting, now: datetime) -> str:
    """Why all is not well, or ""."""
    unread = [source for source, (since, _) in alerting.health.unread.items() if now - since >= UNREAD_FOR]
    if unread:
        return f"{unread[0]} cannot be read"
    if alerting.health.missing:
        return f"the address of {min(alerting.health.missing)} is not at hand"
    with reading(alerting.engine) as conn:
        stuck = [message for message in outbox.ready(conn) if message.tries >= TRIES]
    return f"{len(stuck)} messages are not taken" if stuck else ""


def beat(alerting: Alerting, now: datetime, call: Callable[[str], None]) -> str:
    """Call the owner's address where it is time and all is well; words where it is not, or nobody answers."""
    every = timedelta(minutes=alerting.settings.alerts_dead_man_minutes)
    address = alerting.addresses.of(NAME)
    last = alerting.health.pinged_at
    if not address or (last is not None and timedelta(0) <= now - last < every):
        return ""
    wrong = trouble(alerting, now)
    if wrong:
        return f"the dead-man's switch is not called: {wrong}"
    try:
        call(address)
    except Exception as error:  # it is called again with the next round
        return f"the dead-man's switch does not answer: {without_secrets(str(error), address)}"
    alerting.health.pinged_at = now
    return ""


def call(address: str) -> None:
    """Call an address. Raises an error of httpx where it does not answer with success."""
    import httpx

    httpx.get(address, timeout=TIMEOUT_S, follow_redirects=False).raise_for_status()
