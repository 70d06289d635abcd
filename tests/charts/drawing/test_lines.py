"""Thinning a line: fewer points, and no extreme, end or gap lost."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from charts.drawing import lines
from tests.charts.samples import NOON, at

VALUES = st.lists(st.none() | st.integers(-5, 5).map(float), min_size=0, max_size=300)
MOST = st.integers(5, 60)


@given(VALUES, MOST)
def test_the_smallest_and_the_largest_survive_and_the_order_is_kept(values: list[float | None], most: int) -> None:
    times, thinned = lines.thin(range(len(values)), values, most)
    known, left = [v for v in values if v is not None], [v for v in thinned if v is not None]
    assert len(thinned) == len(times) <= max(most, 0)
    assert times == sorted(set(times))
    assert [values[place] for place in times] == thinned
    assert (min(left), max(left)) == (min(known), max(known)) if known else left == []


@given(VALUES, MOST)
def test_both_ends_and_a_gap_survive(values: list[float | None], most: int) -> None:
    times, thinned = lines.thin(range(len(values)), values, most)
    assert not values or (times[0], times[-1]) == (0, len(values) - 1)
    assert (None in thinned) == (None in values)


@given(VALUES, MOST)
def test_each_stretch_keeps_its_own_extremes(values: list[float | None], most: int) -> None:
    places = set(lines.kept(values, most))
    if len(values) > most:
        stretches = (most - 2) // 3
        for number in range(stretches):
            stretch = range(len(values) * number // stretches, len(values) * (number + 1) // stretches)
            known = {values[place] for place in stretch if values[place] is not None}
            kept = {values[place] for place in stretch if place in places and values[place] is not None}
            if known:
                assert {min(known), max(known)} <= kept  # type: ignore[type-var]


def test_a_short_series_is_left_alone() -> None:
    assert lines.thin("abcde", [1.0, None, 2.0, 2.0, 1.0], 5) == (list("abcde"), [1.0, None, 2.0, 2.0, 1.0])


def test_a_spike_of_one_point_in_a_hundred_thousand_is_seen() -> None:
    values = [1.0] * 100_000
    values[54_321] = 9.0
    times, thinned = lines.thin(range(100_000), values, 2_000)
    assert thinned[times.index(54_321)] == 9.0
    assert len(thinned) <= 2_000


def test_fewer_than_five_points_are_refused() -> None:
    with pytest.raises(ValueError, match="five"):
        lines.thin([1], [1.0], 4)


def test_a_gap_stays_a_gap_and_what_stands_alone_is_a_dot() -> None:
    axes = Figure().subplots()
    drawn = lines.line(axes, [at(n) for n in range(6)], [1.0, 2.0, None, 3.0, None, 4.0], label="x", colour="k")
    assert [math.isnan(value) for value in drawn.get_ydata()] == [False, False, True, False, True, False]
    assert np.asarray(axes.lines[1].get_ydata()).tolist() == [3.0, 4.0]
    assert axes.lines[1].get_marker() == "o"


@pytest.mark.parametrize(("values", "low"), [([5.0, 6.0], 4.8), ([0.0, 10.0], 0.0), ([-5.0, 5.0], -6.2), ([0.0], 0.0)])
def test_the_scale_leaves_room_and_goes_below_zero_only_with_the_data(values: list[float], low: float) -> None:
    axes = Figure().subplots()
    lines.scale(axes, values)
    assert axes.get_ylim()[0] == pytest.approx(low, abs=0.09)
    assert axes.get_ylim()[1] > max(values)


def test_a_scale_of_unknown_values_is_left_as_it_is() -> None:
    axes = Figure().subplots()
    lines.scale(axes, [None, None])
    assert axes.get_ylim() == (0, 1)


def test_times_are_shown_in_utc() -> None:
    axes = Figure().subplots()
    axes.plot(np.array([NOON, NOON + timedelta(hours=4)]), [1, 2])
    lines.times(axes)
    assert axes.get_xlabel() == "time (UTC)"
    assert "12:00" in [text.get_text() for text in axes.get_xticklabels()]


def test_a_lone_instant_has_a_day_around_it() -> None:
    axes = Figure().subplots()
    lines.line(axes, [NOON], [1.0], label="x", colour="k")
    low, high = axes.get_xlim()
    assert high - low == pytest.approx(1)
