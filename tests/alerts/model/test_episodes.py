"""States as episodes: told when they begin, by rule while they last, and when they are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.world import BROKEN, SHUT
from valtrac.alerts.model.episodes import OVER_AFTER, Episode, Step, alert_of, changes
from valtrac.core.events import Event

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
KINDS = {kind.name: kind for kind in (BROKEN, SHUT)}


def state(kind: str = "shop.broken") -> Event:
    return Event(f"{kind}:1", kind, NOW, "The shelf fell down.")


def episode(**more: object) -> Episode:
    values: dict[str, Any] = {"told_at": NOW, "gone_at": None, "told": 1, "kind": "shop.broken", **more}
    return Episode(
        7, "shop.broken:1", source="shop", began_at=NOW, words="The shelf fell down.", audience="owner", **values
    )


def test_a_state_that_is_new_begins() -> None:
    (change,) = changes([], [state()], KINDS, NOW)
    assert change.step is Step.BEGAN
    told = alert_of(change, BROKEN, 7, NOW)
    assert told is not None
    assert told.id == "shop.broken:1#7"


def test_one_that_lasts_is_told_again_by_its_rule_and_not_before() -> None:
    assert changes([episode()], [state()], KINDS, NOW + timedelta(minutes=14)) == []
    (change,) = changes([episode()], [state()], KINDS, NOW + timedelta(minutes=15))
    told = alert_of(change, BROKEN, 7, NOW + timedelta(minutes=15))
    assert told is not None
    assert (told.id, told.words) == ("shop.broken:1#7.2", "The shelf fell down. (for 15 min now)")


def test_one_that_is_gone_for_a_moment_is_not_over() -> None:
    (gone,) = changes([episode()], [], KINDS, NOW)
    assert (gone.step, gone.episode) == (None, episode(gone_at=NOW))
    (back,) = changes([episode(gone_at=NOW)], [state()], KINDS, NOW + timedelta(seconds=30))
    assert (back.step, back.episode) == (None, episode(gone_at=None))


def test_one_that_stays_gone_is_over_and_that_is_told_once() -> None:
    (over,) = changes([episode(gone_at=NOW)], [], KINDS, NOW + OVER_AFTER)
    assert over.step is Step.OVER
    told = alert_of(over, BROKEN, 7, NOW + OVER_AFTER)
    assert told is not None
    assert told.id == "shop.broken:1#7.over"
    assert told.words.startswith("Over, after")


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_however_it_comes_and_goes_beginnings_and_ends_take_turns(seen: list[bool]) -> None:
    lasting, now, told, ids = list[Episode](), NOW, list[Step](), list[str]()
    for number, there in enumerate(seen):
        now += timedelta(seconds=20)
        for change in changes(lasting, [state()] if there else [], KINDS, now):
            made = alert_of(change, BROKEN, number if change.episode is None else change.episode.id, now)
            if made is not None:
                ids.append(made.id)
            if change.step is Step.BEGAN:
                lasting = [Episode(number, change.key, "shop.broken", "shop", now, now, 1, None, "The shelf.", "owner")]
            elif change.step is Step.OVER:
                lasting = []
            elif change.episode is not None:
                lasting = [change.episode]
            told += [change.step] if change.step in (Step.BEGAN, Step.OVER) else []
            if change.step is Step.LASTS and change.episode is not None:
                from dataclasses import replace

                lasting = [replace(change.episode, told=change.episode.told + 1, told_at=now, gone_at=None)]
    assert told == [Step.BEGAN if place % 2 == 0 else Step.OVER for place in range(len(told))]
    assert len(ids) == len(set(ids))
