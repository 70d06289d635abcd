"""Rates of return: percent per year, lines with gaps where the take is not known, the same in the terminal."""

from __future__ import annotations

import math

from charts import global_apr, user_apr
from tests.charts.samples import GLOBAL, USER, at, bare, legend_of, rates
from valtrac.reports.model.statistics import RatePoint


def test_three_lines_in_percent_per_year_each_with_its_own_look() -> None:
    (axes,) = GLOBAL.draw(rates(30)).axes
    assert axes.get_ylabel() == "percent per year (APR)"
    assert legend_of(axes) == ["before take", "after take", "with rebate"]
    assert len({line.get_linestyle() for line in axes.lines}) == 3
    assert len({line.get_color() for line in axes.lines}) == 3
    assert list(axes.lines[1].get_ydata()) == [row.after for row in rates(30)]
    assert list(axes.lines[2].get_ydata()) == [row.rebate for row in rates(30)]


def test_where_the_take_is_not_known_the_first_line_has_a_gap() -> None:
    (axes,) = GLOBAL.draw(rates(30)).axes
    assert [math.isnan(value) for value in axes.lines[0].get_ydata()[:4]] == [True, True, False, False]


def test_a_take_that_is_never_known_is_no_line() -> None:
    rows = [RatePoint(at(n), None, 15.0, 16.0) for n in range(5)]
    (axes,) = GLOBAL.draw(rows).axes
    assert legend_of(axes) == ["after take", "with rebate"]
    assert "before take" not in GLOBAL.sketch(rows)


def test_the_newest_rates_are_told_in_words() -> None:
    figure = GLOBAL.draw([RatePoint(at(0), 20.0, 16.4, 18.0)])
    assert figure.texts[1].get_text() == "1 stretch; at the end 16.40 % after take, 18.00 % with rebate (+1.60), on TAO"
    drawn = bare(GLOBAL.sketch([RatePoint(at(0), 20.0, 16.4, 18.0)]))
    assert "━━ before take: 20.00 % per year" in drawn
    assert "━━ with rebate: 18.00 % per year" in drawn


def test_what_is_not_paid_yet_is_a_line_of_its_own_and_never_falls_onto_the_rate_after_take() -> None:
    rows = [RatePoint(at(n), None, 15.0, 16.0 if n < 3 else None, None if n < 3 else 17.0) for n in range(6)]
    figure = GLOBAL.draw(rows)
    assert legend_of(figure.axes[0]) == ["after take", "with rebate", "projected, not paid yet"]
    paid, ahead = figure.axes[0].lines[1].get_ydata(), figure.axes[0].lines[2].get_ydata()
    assert [math.isnan(value) for value in paid] == [False] * 3 + [True] * 3
    assert [math.isnan(value) for value in ahead] == [True] * 3 + [False] * 3
    assert "17.00 % projected, not paid yet (+2.00)" in figure.texts[1].get_text()
    assert "projected, not paid yet: 17.00 % per year" in bare(GLOBAL.sketch(rows))
    unknown = GLOBAL.draw([RatePoint(at(0), None, 15.0, None)])
    assert unknown.texts[1].get_text() == "1 stretch; at the end 15.00 % after take, not paid yet, on TAO"


def test_one_user_has_two_lines_and_a_name() -> None:
    figure = USER.draw(rates(30))
    assert legend_of(figure.axes[0]) == ["after take", "with rebate"]
    assert figure.texts[1].get_text().startswith("alice: 30 stretches")
    assert bare(USER.sketch(rates(30))).splitlines()[1].startswith("alice: ")


def test_the_words_behind_the_question_mark_say_percent_and_that_nothing_is_compounded() -> None:
    for chart in (global_apr, user_apr):
        assert "percent" in chart.WHAT
        assert "without compounding" in chart.WHAT


def test_in_the_terminal_all_lines_stand_on_one_scale() -> None:
    drawn = GLOBAL.sketch([RatePoint(at(n), 30.0, 10.0, 20.0) for n in range(9)])
    rows = [row.partition("┤")[2] or row.partition("│")[2] for row in drawn.splitlines()]
    colours = [row[:5] for row in rows if bare(row).strip()]
    assert "30.00 ┤" in bare(drawn)
    assert "10.00 ┤" in bare(drawn)
    assert len(colours) == len(set(colours)) == 3
