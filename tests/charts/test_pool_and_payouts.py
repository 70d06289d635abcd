"""Pool and payouts: what came in, what went out, and every settled batch."""

from __future__ import annotations

import pytest

from tests.charts.samples import PAYOUTS, POOL, at, bare, legend_of, words_of
from valtrac.reports.model.statistics import PayoutPoint


def test_both_sums_are_lines_with_units_and_payment_goes_in_steps() -> None:
    above, below = POOL.draw(POOL.rows(31)).axes
    assert (above.get_ylabel(), below.get_ylabel()) == ("added up (TAO)", "paid by a batch (TAO)")
    assert legend_of(above) == ["came in (owner's take)", "paid"]
    assert above.lines[1].get_drawstyle() == "steps-post"
    assert max(above.lines[0].get_ydata()) == 60
    assert above.get_ylim()[0] == 0


def test_each_batch_is_a_needle_with_its_number() -> None:
    _, below = POOL.draw(POOL.rows(31)).axes
    assert list(below.lines[0].get_ydata()) == [payout.paid for payout in PAYOUTS]
    assert [text.get_text() for text in below.texts] == ["#1", "#2", "#3", "#4"]


def test_many_batches_have_no_numbers_but_the_largest_is_there() -> None:
    payouts = [PayoutPoint(at(n), n, 900.0 if n == 777 else 1.0, 3) for n in range(2_000)]
    figure = POOL.draw(POOL.rows(31), payouts=payouts)
    assert max(figure.axes[1].lines[0].get_ydata()) == 900
    assert not [text for text in words_of(figure) if text.startswith("#")]


def test_what_is_left_is_told() -> None:
    text = POOL.draw(POOL.rows(31)).texts[1].get_text()
    assert text == "60.00 TAO came in, 30.00 paid in 4 settled batches, 30.00 not paid yet"


@pytest.mark.parametrize("side", ["rows", "payouts"])
def test_one_side_alone_is_drawn_too(side: str) -> None:
    rows, payouts = ([], PAYOUTS) if side == "payouts" else (POOL.rows(5), [])
    assert len(POOL.draw(rows, payouts=payouts).axes) == 2
    assert "UTC" in bare(POOL.sketch(rows, payouts=payouts))


def test_the_terminal_shows_every_batch_as_a_bar() -> None:
    drawn = bare(POOL.sketch(POOL.rows(31))).split("batches (TAO): 4")[1].splitlines()
    assert drawn[4].partition("┤")[2].count("█") == 4
    assert "8.00 ┤" in drawn[1]
