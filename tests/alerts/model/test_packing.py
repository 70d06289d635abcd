"""Which alerts go into which message: nobody is drowned, nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.alerts.model.packing import WINDOW, Hold, Moment, Sent, Waiting, packed
from valtrac.core.events import Severity

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MOST = 12
AWAKE = Moment(NOW, quiet=False, digest_at=NOW - timedelta(hours=4), wakes=Severity.CRITICAL, most=MOST)
ASLEEP = Moment(NOW, quiet=True, digest_at=NOW - timedelta(hours=4), wakes=Severity.CRITICAL, most=MOST)


def waiting(*holds: Hold, severity: Severity = Severity.INFO, at: datetime = NOW) -> list[Waiting]:
    return [Waiting(place, severity, hold, at) for place, hold in enumerate(holds)]


def sizes(groups: list[list[Waiting]]) -> list[int]:
    return [len(group) for group in groups]


def test_a_few_alerts_are_a_message_each() -> None:
    assert sizes(packed(waiting(*[Hold.NO] * 5), [], AWAKE)) == [1] * 5


def test_many_alerts_are_one_digest() -> None:
    assert sizes(packed(waiting(*[Hold.NO] * 10_000), [], AWAKE)) == [10_000]


def test_after_a_digest_the_next_flood_waits_for_ten_minutes() -> None:
    assert packed(waiting(*[Hold.NO] * 800), [Sent(NOW - timedelta(minutes=9), 800)], AWAKE) == []
    assert sizes(packed(waiting(*[Hold.NO] * 800), [Sent(NOW - WINDOW, 800)], AWAKE)) == [800]


def test_in_a_flood_what_is_critical_does_not_wait() -> None:
    flood = waiting(*[Hold.NO] * 800)
    bad = Waiting(9_999, Severity.CRITICAL, Hold.NO, NOW)
    assert packed([*flood, bad], [Sent(NOW, 800)], AWAKE) == [[bad]]


def test_what_was_held_in_quiet_hours_is_one_digest_when_they_are_over() -> None:
    held = waiting(Hold.QUIET, Hold.QUIET, Hold.QUIET)
    assert packed(held, [], ASLEEP) == []
    assert packed(held, [], AWAKE) == [held]


def test_in_quiet_hours_only_what_wakes_is_told() -> None:
    bad = Waiting(7, Severity.CRITICAL, Hold.NO, NOW)
    assert packed([*waiting(Hold.NO, Hold.QUIET), bad], [], ASLEEP) == [[bad]]
    never = Moment(NOW, quiet=True, digest_at=NOW, wakes=None, most=MOST)
    assert packed([bad], [], never) == []


def test_the_daily_digest_holds_what_came_before_it_was_due() -> None:
    before, after = waiting(Hold.DAILY, at=AWAKE.digest_at - timedelta(hours=1)), waiting(Hold.DAILY)
    assert packed(before, [], AWAKE) == [before]
    assert packed(after, [], AWAKE) == []


alerts = st.builds(
    Waiting,
    st.integers(0, 10**6),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Hold)),
    st.integers(0, 900).map(lambda minutes: NOW - timedelta(minutes=minutes)),
)
sent_before = st.lists(
    st.builds(Sent, st.integers(0, 1_200).map(lambda s: NOW - timedelta(seconds=s)), st.integers(1, 9))
)


@given(st.lists(alerts, max_size=40, unique_by=lambda one: one.id), sent_before, st.booleans())
def test_no_alert_is_in_two_messages_and_no_target_gets_more_than_its_most(
    some: list[Waiting], before: list[Sent], quiet: bool
) -> None:
    groups = packed(some, before, ASLEEP if quiet else AWAKE)
    together = [one for group in groups for one in group]
    assert len(together) == len({one.id for one in together})
    assert set(together) <= set(some)
    assert all(groups)
    lately = sum(sent.at > NOW - WINDOW for sent in before)
    assert lately + len(groups) <= max(MOST, lately)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=20))
def test_whatever_comes_everything_is_told_and_at_most_so_often(arrivals: list[int]) -> None:
    now, left, made, told, number = NOW, list[Waiting](), list[Sent](), 0, 0
    for count in [*arrivals, *[0] * 130]:
        left += [Waiting(number + place, Severity.INFO, Hold.NO, now) for place in range(count)]
        number += count
        groups = packed(left, made, Moment(now, quiet=False, digest_at=now, wakes=None, most=MOST))
        for group in groups:
            made.append(Sent(now, len(group)))
            told += len(group)
        gone = {one.id for group in groups for one in group}
        left = [one for one in left if one.id not in gone]
        assert sum(sent.at > now - WINDOW for sent in made) <= MOST
        now += timedelta(seconds=5)
    assert (told, left) == (sum(arrivals), [])
