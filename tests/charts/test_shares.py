"""Shares: base and adjusted of each user, the largest by name and the rest added up."""

from __future__ import annotations

import pytest

from charts import shares
from tests.charts.samples import SHARES, bare, legend_of, words_of
from valtrac.reports.model.statistics import Share

ROWS = [Share("alice", 60.0, 64.0), Share("bob", 40.0, 36.0, (("alice", 1000),))]


def test_each_user_is_a_row_from_base_to_adjusted_in_percent() -> None:
    (axes,) = SHARES.draw(ROWS).axes
    assert axes.get_xlabel() == "part of the whole (percent)"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["alice", "bob"]
    assert legend_of(axes) == ["base", "adjusted"]
    assert [list(line.get_xdata()) for line in axes.lines[-2:]] == [[60, 40], [64, 36]]
    assert len({line.get_marker() for line in axes.lines[-2:]}) == 2


def test_change_and_referrer_stand_beside() -> None:
    said = words_of(SHARES.draw(ROWS))
    assert {"+4.00", "−4.00", "alice  10 %", "64.00", "36.00"} <= set(said)


def test_beyond_thirty_the_rest_is_one_row_and_nothing_is_lost() -> None:
    rows = [Share(f"u{n}", 1.0 + n / 50, 1.0 + n / 50) for n in range(50)]
    (axes,) = SHARES.draw(rows).axes
    names = [text.get_text() for text in axes.get_yticklabels()]
    assert len(names) == shares.MOST + 1
    assert (names[0], names[-1]) == ("u49", "20 others")
    assert sum(axes.lines[-1].get_xdata()) == pytest.approx(sum(row.adjusted for row in rows))


def test_a_wide_range_gets_a_scale_of_factors_and_says_so() -> None:
    (axes,) = SHARES.draw([Share("big", 90.0, 90.0), Share("small", 0.1, 0.2)]).axes
    assert axes.get_xscale() == "log"
    assert "factor" in axes.get_xlabel()
    (axes,) = SHARES.draw([Share("big", 90.0, 90.0), Share("none", 0.0, 0.2)]).axes
    assert axes.get_xscale() == "linear"


def test_the_terminal_gives_both_figures_and_the_change() -> None:
    rows = bare(SHARES.sketch(ROWS)).splitlines()
    assert rows[-2].split()[-3:] == ["60.00", "64.00", "+4.00"]
    assert rows[-1].split()[-3:] == ["40.00", "36.00", "−4.00"]
    assert rows[-2].count("█") > rows[-1].count("█") > 0


def test_someone_who_calls_himself_others_is_no_sum() -> None:
    drawn = SHARES.sketch([Share("20 others", 60.0, 60.0), Share("z", 40.0, 40.0)])
    assert "\x1b[90m" not in drawn
