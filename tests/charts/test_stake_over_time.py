"""The chart of stakes: two panels with units, in UTC, drawn from the record and nothing else."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from matplotlib.dates import num2date

import charts
from charts import braille, paint, stake_over_time
from valtrac.domain.statistics import StakePoint
from valtrac.errors import BadInput

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
POINTS = [StakePoint(NOON + timedelta(hours=n), 300 * n, 17_000 + 100.5 * n, 1_200 + n, 12 + n) for n in range(24)]


def bare(text: str) -> str:
    return re.sub(r"\x1b\[\d+m", "", text)


def test_it_is_found_by_its_name() -> None:
    assert [chart.NAME for chart in charts.found()] == ["stake-over-time"]


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
    assert "24 snapshots to block 6900, 35 nominators" in figure.axes[0].get_title(loc="left")


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
        for row in braille.panel("x", [p.at for p in POINTS], [p.others for p in POINTS], width=60)[1:]
    ]
    assert rows[0].rstrip()[-1:] != ""
    assert rows[-1][0] != " "
    assert rows[0][0] == " "
    assert rows[-1].rstrip() == rows[-1].rstrip().lstrip()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (17_415.390535413, "17,415.390535413"),
        (1_200.5, "1,200.5"),
        (1e6, "1,000,000"),
        (-1e-12, "0"),
    ],
)
def test_figures_beside_an_axis_have_thousands_apart_and_no_empty_decimals(value: float, text: str) -> None:
    assert paint.figure_text(value) == text


def test_a_picture_is_a_png_in_a_place_that_can_be_written(tmp_path) -> None:
    figure = stake_over_time.draw(POINTS, unit="TAO")
    assert paint.save(figure, tmp_path / "new" / "a.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(BadInput, match="no name of a PNG"):
        paint.save(figure, tmp_path / "a.jpg")
    with pytest.raises(BadInput, match="cannot be written"):
        paint.save(figure, tmp_path / "new" / "a.png" / "b.png")


def list_of(point: StakePoint) -> tuple[int, float, float, int]:
    return point.block, point.others, point.owner, point.heads
