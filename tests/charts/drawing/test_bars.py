"""The charts of bars: joiners, payment sizes, coverage, held balances, what if."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from charts import held_balances, what_if
from charts.drawing import blocks
from charts.payout_sizes import _bins
from tests.charts.samples import COVERAGE, HELD, MOVES, SIZES, WHAT_IF, bare, legend_of, words_of
from valtrac.reports.model.statistics import CoverageDay, Difference, HeldBalance, Movement

MONDAY = date(2026, 11, 16)


def bars(axes: object) -> list[Rectangle]:
    return [bar for group in axes.containers for bar in group]  # type: ignore[attr-defined]


def test_who_came_goes_up_and_who_went_goes_down_and_the_heads_are_a_line() -> None:
    rows = [Movement(MONDAY, 3, 1, 42), Movement(MONDAY + timedelta(days=1), 0, 5, 37)]
    above, below = MOVES.draw(rows).axes
    assert (above.get_ylabel(), below.get_ylabel()) == ("nominators", "came and went\n(per day)")
    assert list(above.lines[0].get_ydata()) == [42, 37]
    assert [bar.get_height() for bar in bars(below)] == [3, 0, -1, -5]
    assert legend_of(below) == ["came", "went"]
    assert {label.get_text().lstrip("0123456789") for label in below.get_yticklabels()} == {""}


def test_many_days_are_added_up_and_the_axis_says_so() -> None:
    rows = [Movement(MONDAY + timedelta(days=n), 1, 2, 5) for n in range(1_000)]
    _, below = MOVES.draw(rows).axes
    assert below.get_ylabel() == "came and went\n(per 3 days)"
    assert sum(bar.get_height() for bar in bars(below)) == 1_000 - 2_000


def test_the_terminal_tells_how_many_days_a_column_stands_for() -> None:
    assert "(in about 5 days each)" in bare(MOVES.sketch(MOVES.rows(365)))
    assert "(in a day each)" in bare(MOVES.sketch(MOVES.rows(20)))


@given(st.lists(st.floats(1e-9, 1e9) | st.just(0.0) | st.just(5.0), min_size=1, max_size=200))
def test_every_payment_is_in_one_bar(amounts: list[float]) -> None:
    edges, counts = _bins(amounts, 40)
    assert sum(counts) == len(amounts)
    assert len(edges) == len(counts) + 1
    assert edges == sorted(edges)
    assert edges[0] <= min(amounts) * (1 + 1e-9)
    assert edges[-1] >= max(amounts) * (1 - 1e-9)


def test_sizes_over_many_decades_have_a_scale_of_factors_and_the_median_is_marked() -> None:
    (axes,) = SIZES.draw([0.001, 0.1, 2.0, 50.0, 900.0]).axes
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("size (TAO)", "payments")
    assert legend_of(axes) == ["median: 2.00 TAO"]
    assert list(axes.lines[0].get_xdata()) == [2.0, 2.0]
    (axes,) = SIZES.draw([1.0, 2.0, 3.0]).axes
    assert axes.get_xscale() == "linear"


@pytest.mark.parametrize("amounts", [[5.0], [1.0, 2.0, 9.0], [0.001, 0.1, 2.0, 50.0, 900.0], [0.0, 0.0]])
def test_the_terminal_marks_the_median_once(amounts: list[float]) -> None:
    assert bare(SIZES.sketch(amounts)).count("◄ median") == 1


def test_each_day_is_a_square_and_days_without_snapshots_are_crossed() -> None:
    rows = [CoverageDay(MONDAY + timedelta(days=n), taken, 24.0) for n, taken in ((0, 24), (1, 0), (4, 12))]
    (axes,) = COVERAGE.draw(rows).axes
    squares = next(one for one in axes.collections if isinstance(one, PolyCollection))
    assert len(squares.get_paths()) == 5
    assert len(axes.lines[0].get_xdata()) == 3  # one with none taken, two that are not among the rows
    assert legend_of(axes) == ["all", "90 % or more", "50 % or more", "less", "none"]


def test_the_terminal_has_a_sign_for_each_day_in_the_row_of_its_weekday() -> None:
    rows = [CoverageDay(MONDAY + timedelta(days=n), taken, 24.0) for n, taken in ((0, 24), (1, 0), (4, 12), (9, 1))]
    drawn = bare(COVERAGE.sketch(rows)).splitlines()
    week = {row[:3]: row[4:] for row in drawn if row[:3] in ("Mon", "Wed", "Fri", "Sun")}
    assert week == {"Mon": "█×", "Wed": "×░", "Fri": "▒ ", "Sun": "× "}


def test_years_stand_one_below_the_other_and_very_old_ones_are_left_out_and_told() -> None:
    assert len(COVERAGE.draw(COVERAGE.rows(800)).axes) == 3
    figure = COVERAGE.draw(COVERAGE.rows(5_000))
    assert len(figure.axes) == 6
    assert "drawn from" in figure.texts[1].get_text()


def test_more_than_asked_for_is_all_and_an_interval_that_asks_for_none_is_fulfilled() -> None:
    drawn = bare(COVERAGE.sketch([CoverageDay(MONDAY, 30, 24.0), CoverageDay(MONDAY + timedelta(days=1), 0, 0.0)]))
    assert "none without any" in drawn


def test_a_held_balance_is_a_bar_in_the_colour_of_its_age() -> None:
    rows = [HeldBalance("old", 1.0, 120.0), HeldBalance("new", 4.0, 1.0)]
    (axes,) = HELD.draw(rows).axes
    assert axes.get_xlabel() == "held back (TAO)"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["new", "old"]
    assert legend_of(axes) == ["less than 7 days", "90 days or more"]
    assert [bar.get_width() for bar in bars(axes)] == [4.0, 1.0]
    assert {"4.00", "120", "days"} <= set(words_of(HELD.draw(rows)))


def test_the_rest_of_the_balances_is_one_bar_of_all_its_ages() -> None:
    rows = [HeldBalance(f"u{n}", 100.0 - n, 5.0 if n % 2 else 200.0) for n in range(40)]
    (axes,) = HELD.draw(rows).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert (len(names), names[-1]) == (held_balances.MOST + 1, "10 others")
    last = [bar for bar in bars(axes) if round(bar.get_y() + 0.33) == held_balances.MOST]
    assert len(last) == 2
    assert sum(bar.get_width() for bar in last) == pytest.approx(sum(row.amount for row in rows[30:]))


def test_gains_go_right_and_losses_left_and_the_rest_is_added_up() -> None:
    rows = [Difference("up", 1.0, 3.0), Difference("down", 5.0, 2.0), Difference("same", 1.0, 1.0)]
    (axes,) = WHAT_IF.draw(rows).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["up", "same", "down"]
    assert sorted(bar.get_width() for bar in bars(axes)) == [-3.0, 2.0]
    assert axes.get_xlabel() == "change (TAO)"
    many = [Difference(f"u{n}", 10.0, 10.0 + n) for n in range(60)]
    (axes,) = WHAT_IF.draw(many).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert (len(names), names[0], names[-1]) == (what_if.MOST + 1, "u59", "40 others")
    assert sum(bar.get_width() for bar in bars(axes)) == pytest.approx(sum(range(60)))


def test_the_terminal_draws_a_gain_right_of_the_middle_and_a_loss_left_of_it() -> None:
    up, down = bare(WHAT_IF.sketch([Difference("up", 1.0, 3.0), Difference("down", 3.0, 1.0)])).splitlines()[-2:]
    assert up.index("│") < up.index("█")
    assert down.index("█") < down.index("│")
    assert (up.split()[-1], down.split()[-1]) == ("+2.00", "−2.00")


@given(st.floats(0, 1), st.integers(1, 40))
def test_a_bar_fills_exactly_its_columns_and_what_is_there_is_seen(share: float, columns: int) -> None:
    assert len(blocks.lying(share, columns)) == columns
    assert bool(blocks.lying(share, columns).strip()) == (share > 0)
    for sign in (1, -1):
        assert len(blocks.both_ways(share * sign, columns)) == 2 * columns + 1
    for down in (False, True):
        rows = blocks.standing([share] * columns, height=3, most=1.0, down=down)
        assert [len(row) for row in rows] == [columns] * 3
        assert any(row.strip() for row in rows) == (share > 0)
