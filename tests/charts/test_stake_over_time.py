"""The chart of stakes: two panels with units, in UTC, drawn from the record and nothing else."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from matplotlib.dates import num2date

from charts import stake_over_time
from charts.drawing import braille
from valtrac.reports.model.statistics import StakePoint

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POINTS = [StakePoint(NOON + timedelta(hours=n), 300 * n, 17_000 + 100.5 * n, 1_200 + n, 12 + n) for n in range(24)]


def bare(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def test_each_panel_has_one_line_its_unit_and_all_of_its_values() -> None:
    above, below = stake_over_time.draw(POINTS, unit="TAO").axes
    assert (above.get_ylabel(), below.get_ylabel()) == ("nominators (TAO)", "owner (TAO)")
    assert [len(axes.lines) for axes in (above, below)] == [1, 1]
    assert list(above.lines[0].get_ydata()) == [point.others for point in POINTS]
    assert list(below.lines[0].get_ydata()) == [point.owner for point in POINTS]


def test_the_scale_holds_the_data_and_never_goes_below_zero() -> None:
    above, below = stake_over_time.draw(
        [*POINTS, StakePoint(NOON + timedelta(days=1), 7500, 0.0, 0.0, 0)], unit="TAO"
    ).axes
    for axes, values in ((above, [point.others for point in POINTS]), (below, [point.owner for point in POINTS])):
        low, high = axes.get_ylim()
        assert low == 0
        assert high > max(values)


def test_the_time_below_is_utc_and_named_so_wherever_the_snapshots_were_taken() -> None:
    east = [StakePoint(point.at.astimezone(timezone(timedelta(hours=9))), *list_of(point)) for point in POINTS]
    below = stake_over_time.draw(east, unit="TAO").axes[1]
    assert below.get_xlabel() == "time (UTC)"
    assert num2date(below.lines[0].get_xdata(orig=False)[0]).hour == 12
    assert bare(stake_over_time.sketch(east, unit="TAO", width=80)).splitlines()[-1].startswith("2026-11-20 12:00")


def test_title_and_legend_say_what_it_is() -> None:
    figure = stake_over_time.draw(POINTS, unit="alpha of subnet 1")
    assert figure.get_suptitle() == "Stake over time"
    assert [axes.get_legend().get_texts()[0].get_text() for axes in figure.axes] == ["nominators", "owner's own"]
    assert "24 snapshots to block 6900, 35 nominators" in figure.texts[1].get_text()


def test_nothing_is_cut_off_at_the_edge_of_the_picture() -> None:
    figure = stake_over_time.draw(POINTS, unit="TAO")
    figure.savefig(io.BytesIO(), format="png")
    box = figure.bbox
    for axes in figure.axes:
        for part in (axes.get_legend(), axes.yaxis.label, axes.xaxis.label, axes.title):
            extent = part.get_window_extent()
            assert extent.x0 >= box.x0 - 1
            assert extent.x1 <= box.x1 + 1
            assert extent.y1 <= box.y1 + 1
            assert extent.y0 >= box.y0 - 1


@pytest.mark.parametrize("points", [POINTS[:1], POINTS[:2], [POINTS[0], POINTS[0]]])
def test_one_point_or_two_can_be_seen(points: list[StakePoint]) -> None:
    above = stake_over_time.draw(points, unit="TAO").axes[0]
    assert above.lines[0].get_marker() == "o"
    assert stake_over_time.sketch(points, unit="TAO", width=80)


def test_without_snapshots_both_drawings_say_so() -> None:
    figure = stake_over_time.draw([], unit="TAO")
    assert {text.get_text() for axes in figure.axes for text in axes.texts} == {"no snapshots in this range"}
    assert stake_over_time.sketch([], unit="TAO", width=80) == "no snapshots in this range"


@pytest.mark.parametrize("width", [44, 60, 80, 120, 300])
def test_the_drawing_fits_the_terminal_and_shows_the_ends_of_both_scales(width: int) -> None:
    drawn = bare(stake_over_time.sketch(POINTS, unit="TAO", width=width))
    assert max(map(len, drawn.splitlines())) <= width
    for figure in ("19,311.50", "17,000.00", "1,223.00", "1,200.00"):
        assert figure in drawn


def test_the_line_in_the_terminal_rises_where_the_stake_rises() -> None:
    rows = [
        bare(row).partition("┤")[2] or bare(row).partition("│")[2]
        for row in braille.panel(braille.Line("x", [p.at for p in POINTS], [p.others for p in POINTS]), width=60)[1:]
    ]
    assert rows[0].rstrip()[-1:] != ""
    assert rows[-1][0] != " "
    assert rows[0][0] == " "
    assert rows[-1].rstrip() == rows[-1].rstrip().lstrip()


def list_of(point: StakePoint) -> tuple[int, float, float, int]:
    return point.block, point.others, point.owner, point.heads
