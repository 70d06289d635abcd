"""Which alerts go into which message: one each, or a digest where there are many or it was quiet. Pure.

However many alerts come, a target gets at most `most` messages in ten minutes; what does not fit waits, and is told in
one digest. Nothing is left out: a digest counts every alert in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from valtrac.core.events import Severity

WINDOW = timedelta(minutes=10)
SINGLY = 5  # so many alerts at once are a message each


class Hold(StrEnum):
    """Why a delivery waits: not at all, for the end of quiet hours, or for the daily digest."""

    NO = "no"
    QUIET = "quiet"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that a target has not been told of yet. id: of the delivery."""

    id: int
    severity: Severity
    hold: Hold
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a target was given before. alerts: how many were in it."""

    at: datetime
    alerts: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds at this moment for one target. digest_at: when the last daily digest was due. wakes: alerts so bad are
    told in quiet hours, None: none are."""

    now: datetime
    quiet: bool
    digest_at: datetime
    wakes: Severity | None
    most: int


def packed(waiting: Sequence[Waiting], before: Sequence[Sent], moment: Moment) -> list[list[Waiting]]:
    """The messages to be made now, each of one alert or more; what is in none of them goes on waiting."""
    due = [delivery for delivery in waiting if _is_due(delivery, moment)]
    if not due:
        return []
    lately = [sent for sent in before if sent.at > moment.now - WINDOW]
    room = moment.most - len(lately)
    held = [delivery for delivery in due if delivery.hold is not Hold.NO]
    rest = [delivery for delivery in due if delivery.hold is Hold.NO]
    if room <= 0:
        return []
    if held:  # they have waited long enough: one digest, whatever else there is
        return [due] if len(rest) > min(SINGLY, room - 1) else [held, *([delivery] for delivery in rest)]
    if len(rest) <= min(SINGLY, room):
        return [[delivery] for delivery in rest]
    if not any(sent.alerts > 1 for sent in lately):
        return [rest]
    # critical ones do not wait for the next digest
    critical = [delivery for delivery in rest if delivery.severity is Severity.CRITICAL]
    return [[delivery] for delivery in critical] if len(critical) <= min(SINGLY, room) else [critical]


def _is_due(one: Waiting, moment: Moment) -> bool:
    if one.hold is Hold.DAILY and moment.digest_at <= one.created_at:
        return False
    if not moment.quiet:
        return True
    return moment.wakes is not None and one.severity is moment.wakes and one.hold is not Hold.DAILY
