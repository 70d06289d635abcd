"""States as episodes: told when they begin, again by rule while they last, and when they are over. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from valtrac.core.events import Event, EventKind, Severity

OVER_AFTER = timedelta(seconds=60)  # what is gone for less than this may have been out of sight for a moment


class Step(StrEnum):
    """What is told of an episode."""

    BEGAN = "began"
    LASTS = "lasts"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Episode:
    """A state while it lasts. key: the id of its event; told_at: when it was told last, told: how often; gone_at: since
    when it has not been seen; words: what it was told with."""

    id: int
    key: str
    kind: str
    source: str
    began_at: datetime
    told_at: datetime
    told: int
    gone_at: datetime | None
    words: str
    audience: str


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of an episode at one look. step: what is told of it, None: nothing. episode: None for a new one."""

    key: str
    step: Step | None
    episode: Episode | None
    event: Event | None


def changes(
    lasting: Sequence[Episode], states: Sequence[Event], kinds: Mapping[str, EventKind], now: datetime
) -> list[Change]:
    """Compare what holds now with the episodes that last; only what changes is among the answers."""
    known = {episode.key: episode for episode in lasting}
    seen = {event.id: event for event in states}
    differences = [Change(key, Step.BEGAN, None, event) for key, event in seen.items() if key not in known]
    for key, episode in known.items():
        event = seen.get(key)
        if event is None:
            gone_at = episode.gone_at or now
            if now - gone_at >= OVER_AFTER:
                differences.append(Change(key, Step.OVER, episode, None))
            elif episode.gone_at is None:
                differences.append(Change(key, None, replace(episode, gone_at=now), None))
            continue
        again_after = kinds[event.kind].again_after if event.kind in kinds else None
        if again_after is not None and now - episode.told_at >= again_after:
            differences.append(Change(key, Step.LASTS, episode, event))
        elif episode.gone_at is not None:
            differences.append(Change(key, None, replace(episode, gone_at=None), event))
    return differences


def alert_of(change: Change, kind: EventKind | None, number: int, now: datetime) -> Event | None:
    """The alert that a change makes, with an id of its own; None where none is told. number: of the episode."""
    key = f"{change.key}#{number}"
    if change.step is Step.BEGAN and change.event is not None:
        return replace(change.event, id=key)
    if change.step is Step.LASTS and change.event is not None and change.episode is not None:
        lasted = _so_long(now - change.episode.began_at)
        words = f"{change.event.words} (for {lasted} now)"
        return replace(change.event, id=f"{key}.{change.episode.told + 1}", at=now, words=words)
    if change.step is Step.OVER and change.episode is not None and kind is not None and kind.over:
        before = change.episode
        lasted = _so_long((before.gone_at or now) - before.began_at)
        words = f"Over, after {lasted}: {before.words}"
        short = f"{kind.over} after {lasted}"
        return Event(f"{key}.over", kind.name, now, words, short, audience=before.audience, severity=Severity.INFO)
    return None


def _so_long(span: timedelta) -> str:
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
