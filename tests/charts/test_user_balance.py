"""A user's balance: stake at the left, money at the right, and never a zero where no price was known."""

from __future__ import annotations

import math

from charts.drawing import paint
from tests.charts.samples import BALANCE, at, balances, bare, legend_of
from valtrac.reports.model.statistics import BalancePoint


def test_stake_and_money_have_their_own_axes_in_their_own_colours() -> None:
    left, right = BALANCE.draw(balances(30)).axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("stake (TAO)", "value (USD)")
    assert left.yaxis.label.get_color() == left.lines[0].get_color() == paint.BLUE
    assert right.yaxis.label.get_color() == right.lines[0].get_color() == paint.RED
    assert left.lines[0].get_linestyle() != right.lines[0].get_linestyle()
    assert legend_of(left) == ["stake (TAO, left)", "value (USD, right)"]


def test_unknown_money_is_a_gap_and_never_zero() -> None:
    _, right = BALANCE.draw(balances(30)).axes
    values = list(right.lines[0].get_ydata())
    assert [n for n, value in enumerate(values) if math.isnan(value)] == [4, 14, 24]
    assert min(value for value in values if not math.isnan(value)) == 400
    assert right.get_ylim()[0] > 0


def test_it_says_how_many_had_no_price() -> None:
    assert BALANCE.draw(balances(30)).texts[1].get_text() == "alice: 30 snapshots, 3 of them without a price in USD"
    assert BALANCE.draw(balances(3)).texts[1].get_text() == "alice: 3 snapshots"


def test_without_any_price_there_is_no_second_axis() -> None:
    rows = [BalancePoint(at(n), 5.0 + n, None) for n in range(4)]
    assert len(BALANCE.draw(rows).axes) == 1
    assert "value (USD): not known" in bare(BALANCE.sketch(rows))


def test_in_the_terminal_a_gap_stays_empty() -> None:
    rows = [BalancePoint(at(n), 5.0, None if 30 < n < 70 else 8.0 + n) for n in range(100)]
    value = bare(BALANCE.sketch(rows)).split("value (USD)")[1].splitlines()[1:8]
    drawn = [row.partition("┤")[2] or row.partition("│")[2] for row in value]
    columns = [any(row[place : place + 1].strip() for row in drawn) for place in range(66)]
    assert columns[:20] == [True] * 20
    assert not any(columns[23:44])
    assert columns[47:60] == [True] * 13
