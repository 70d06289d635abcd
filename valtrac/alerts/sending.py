"""Handing messages over, each target for itself: what fails is tried again, and keeps back nobody else's.

That a message is about to be handed over is written down first, with when it is tried again. Whoever dies in between
leaves it to be sent once more, with the same code in it: once, or twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime, timedelta

from valtrac.alerts.alerting import Alerting
from valtrac.alerts.model.rules import Target
from valtrac.alerts.model.schedule import wait_after
from valtrac.alerts.model.states import MessageState
from valtrac.alerts.store import outbox, targets
from valtrac.alerts.store.outbox import Told
from valtrac.core.events import Sent
from valtrac.database.engine import reading, writing

AT_ONCE = 8  # so many targets are served side by side
MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of what was due. failed: `target: why` of each message that was not taken."""

    sent: int
    failed: tuple[str, ...]


def send(alerting: Alerting, clock: Callable[[], datetime]) -> Outcome:
    """Send every message that is due, those first that were tried least. A target that does not take one is left alone
    until that is tried again."""
    sent, failed, done = 0, list[str](), set[int]()
    for _ in range(MOST_ROUNDS):
        due = _due(alerting, clock(), done)
        if not due:
            break
        for message, target, answer in _handed_over(alerting, due):
            _note(alerting, message, answer, clock())
            sent += answer.taken
            if not answer.taken:
                done.add(target.id)
                failed.append(f"{target.name}: {answer.words}")
    return Outcome(sent, tuple(failed))


def _due(alerting: Alerting, now: datetime, done: set[int]) -> list[tuple[Told, Target]]:
    """The next message of each target, written down as about to be sent. done: the targets that failed just now."""
    with reading(alerting.engine) as conn:
        active = {target.id: target for target in targets.active(conn)}
        troubled = outbox.troubled(conn)
        ready = sorted(outbox.ready(conn), key=lambda message: (message.tries, message.id))
    resting = {number for number, untaken in troubled.items() if any(message.due_at > now for message in untaken)}
    chosen = dict[int, Told]()
    for message in ready:
        target = active.get(message.target_id)
        if target is None or target.id in resting | done or message.due_at > now:
            continue
        if alerting.addresses.of(target.name):
            chosen.setdefault(target.id, message)
    if chosen:
        with writing(alerting.engine) as conn:
            for message in chosen.values():
                outbox.note_try(conn, message, now + wait_after(message.tries + 1))
    return [(message, active[number]) for number, message in chosen.items()]


def _handed_over(alerting: Alerting, due: Sequence[tuple[Told, Target]]) -> Iterator[tuple[Told, Target, Sent]]:
    """Messages handed over side by side, each answer as it comes."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = {
            pool.submit(alerting.notifier.send, alerting.addresses.of(target.name), message.message): (message, target)
            for message, target in due
        }
        for answered in as_completed(asked):
            message, target = asked[answered]
            yield message, target, answered.result()


def _note(alerting: Alerting, message: Told, answer: Sent, now: datetime) -> None:
    with writing(alerting.engine) as conn:
        if answer.taken:
            outbox.note_end(conn, message.id, MessageState.SENT, "", now)
        elif now - message.created_at >= timedelta(hours=alerting.settings.alerts_give_up_hours):
            outbox.note_end(conn, message.id, MessageState.FAILED, answer.words, now)
        else:
            outbox.note_failure(conn, message.id, answer.words)
