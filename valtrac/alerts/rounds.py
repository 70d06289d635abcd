"""One round of alerts: read, pack, send, give a sign of life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from valtrac.alerts import dead_man
from valtrac.alerts.alerting import Alerting
from valtrac.alerts.collecting import collect
from valtrac.alerts.packing import pack
from valtrac.alerts.sending import send
from valtrac.alerts.store import targets
from valtrac.database.engine import reading


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did. new: alerts that were written down; made: messages; failed: why some were not taken."""

    new: int
    made: int
    sent: int
    failed: tuple[str, ...]
    words: tuple[str, ...]


def go_round(alerting: Alerting, clock: Callable[[], datetime], call: Callable[[str], None] = dead_man.call) -> Round:
    """Do what is due. call: calls the dead-man's switch."""
    now = clock()
    look_for_addresses(alerting, now)
    new = collect(alerting, now)
    made = pack(alerting, now)
    outcome = send(alerting, clock)
    words = [f"{source} cannot be read: {why}" for source, (_, why) in sorted(alerting.health.unread.items())]
    words += [f"the address of {name} is not at hand" for name in sorted(alerting.health.missing)]
    words += filter(None, [dead_man.beat(alerting, clock(), call)])
    return Round(new, made, outcome.sent, outcome.failed, tuple(words))


def look_for_addresses(alerting: Alerting, now: datetime) -> None:
    """Note whose addresses are not at hand, and since when."""
    with reading(alerting.engine) as conn:
        names = [target.name for target in targets.active(conn)]
    before = dict(alerting.health.missing)
    alerting.health.missing.clear()
    alerting.health.missing |= {name: before.get(name, now) for name in names if not alerting.addresses.of(name)}
