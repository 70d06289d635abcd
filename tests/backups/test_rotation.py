"""Which backups stay: the newest, and one of each of the last days, weeks and months that have one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from valtrac.backups.model import rotation
from valtrac.backups.model.rotation import Name

NOW = datetime(2026, 11, 28, 13, 0, tzinfo=UTC)


def every(hours: int, days: int) -> list[Name]:
    return [Name(NOW - timedelta(hours=hours * n), sealed=False) for n in range(days * 24 // hours)]


def test_of_a_year_of_backups_every_four_hours_few_stay_and_the_oldest_is_of_the_first_month() -> None:
    stay = rotation.kept(every(4, 400))
    assert len(stay) <= rotation.NEWEST + rotation.DAYS + rotation.WEEKS + rotation.MONTHS
    assert {name.at.strftime("%Y-%m") for name in stay} >= {"2025-12", "2026-06", "2026-11"}
    assert {NOW - timedelta(hours=4 * n) for n in range(12)} <= {name.at for name in stay}
    days = {name.at.date() for name in stay}
    assert {(NOW - timedelta(days=n)).date() for n in range(14)} <= days


def test_an_installation_that_rested_keeps_what_it_has() -> None:
    few = [Name(NOW - timedelta(days=200 * n), sealed=True) for n in range(8)]
    assert rotation.kept(few) == set(few)


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2027, 1, 1)), max_size=200))  # noqa: DTZ001
def test_what_was_dropped_once_would_not_have_stayed_later(moments: list[datetime]) -> None:
    names = {Name(at.replace(microsecond=0, tzinfo=UTC), sealed=False) for at in moments}
    stay = rotation.kept(names)
    assert stay <= names
    assert max(names, default=None) in {*stay, None}
    assert rotation.kept(stay) == stay


def test_a_name_is_read_back_and_nothing_else_is_one() -> None:
    for name in (Name(NOW, sealed=False), Name(NOW, sealed=True)):
        assert rotation.parsed(str(name)) == name
    for text in ("valtrac-20261328T130000Z.tar.gz", "valtrac.tar.gz", ".lock", "valtrac-20261128T130000Z.tar.gz.part"):
        assert rotation.parsed(text) is None
