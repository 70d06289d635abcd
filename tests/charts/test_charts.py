"""What holds for every chart: it says what it is, fits, survives any name and any number of rows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from rich.cells import cell_len

import charts
from charts import what_if
from charts.drawing import labels, paint
from tests.charts.samples import (
    ALL,
    BALANCE,
    GLOBAL,
    HOSTILE,
    MOVES,
    POOL,
    STACK,
    STAKES,
    USER,
    Sample,
    bare,
    words_of,
)

EACH = pytest.mark.parametrize("sample", ALL, ids=[sample.chart.NAME for sample in ALL])
NAMED = [sample for sample in ALL if sample.named]
WIDTHS = pytest.mark.parametrize("width", [44, 60, 80, 200])
TIMED = [STAKES, GLOBAL, USER, BALANCE, STACK, POOL, MOVES]


def test_every_chart_is_found_in_its_order() -> None:
    assert charts.found() == [sample.chart for sample in ALL]


def test_no_two_charts_have_the_same_place_and_each_gets_its_rows_from_one_business() -> None:
    assert len({sample.chart.ORDER for sample in ALL}) == len(ALL)
    of_businesses = [chart for name in (charts.PAYOUTS, charts.POOL, charts.KEEPS) for chart in charts.found(name)]
    drawn = [*of_businesses, what_if]  # that one with its answer alone
    assert sorted(drawn, key=str) == sorted((sample.chart for sample in ALL), key=str)
    assert all(callable(chart.rows) for chart in drawn if chart is not what_if)


@EACH
def test_it_has_a_name_and_a_sentence_about_what_it_shows(sample: Sample) -> None:
    chart = sample.chart
    assert chart.__name__.removeprefix("charts.").replace("_", "-") == chart.NAME
    assert chart.TITLE
    assert chart.WHAT.endswith(".")
    assert len(chart.WHAT) > 80


@EACH
def test_the_picture_carries_its_title_and_what_is_in_it(sample: Sample) -> None:
    figure = sample.draw(sample.rows(30))
    assert figure.get_suptitle() == sample.chart.TITLE
    assert figure.texts[1].get_text() != ""


@EACH
def test_without_rows_both_forms_say_so(sample: Sample) -> None:
    rows = sample.rows(0)
    also: dict[str, Any] = {"payouts": []} if sample is POOL else {}
    figure, said = sample.draw(rows, **also), sample.sketch(rows, **also)
    assert [text.get_text() for text in figure.axes[0].texts] == [said]
    assert said.startswith(("no ", "nobody ", "nothing "))
    paint.svg_text(figure)


@EACH
@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_few_rows_are_drawn_too(sample: Sample, size: int) -> None:
    assert paint.svg_text(sample.draw(sample.rows(size)))
    assert sample.chart.TITLE in sample.sketch(sample.rows(size))


@EACH
@WIDTHS
@pytest.mark.parametrize("size", [1, 70, 500])
def test_the_drawing_fits_the_terminal(sample: Sample, width: int, size: int) -> None:
    assert widest(sample.sketch(sample.rows(size), width=width)) <= min(width, labels.MOST_WIDTH)


@pytest.mark.parametrize("sample", NAMED, ids=[sample.chart.NAME for sample in NAMED])
@WIDTHS
def test_no_name_makes_the_drawing_wider_or_steers_the_terminal(sample: Sample, width: int) -> None:
    assert sample.named is not None
    drawn = sample.sketch(sample.named(HOSTILE), width=width)
    assert widest(drawn) <= width
    assert "\x1b" not in bare(drawn)
    assert "\x1b[2J" not in drawn


@pytest.mark.parametrize("sample", NAMED, ids=[sample.chart.NAME for sample in NAMED])
def test_names_stand_in_the_picture_as_they_are_and_make_no_noise(
    sample: Sample, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sample.named is not None
    figure = sample.draw(sample.named(HOSTILE))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paint.save(figure, tmp_path / "a.png")
        text = paint.svg_text(figure)
    assert capfd.readouterr() == ("", "")
    said = "".join(Tree.fromstring(text).itertext())
    assert "$a_b$" in said
    assert "<script>" not in text
    assert "_hidden" in said
    heading = [text.get_text() for text in figure.texts]
    assert max(labels.width_of(text) for text in words_of(figure) if text not in heading) < 60


@pytest.mark.parametrize("sample", [USER, BALANCE], ids=["user-apr", "user-balance"])
@pytest.mark.parametrize("who", HOSTILE)
def test_the_name_of_the_one_user_is_harmless(sample: Sample, who: str) -> None:
    also = {"who": who} | ({"currency": who} if "currency" in sample.also else {})
    for width in (44, 80):
        assert widest(sample.sketch(sample.rows(20), width=width, **also)) <= width
    Tree.fromstring(paint.svg_text(sample.draw(sample.rows(20), **also)))


@EACH
def test_nothing_is_cut_off_at_the_edge_of_the_picture(sample: Sample) -> None:
    rows = sample.named(HOSTILE) if sample.named else sample.rows(60)
    figure = sample.draw(rows)
    inside(figure)


@EACH
def test_any_number_of_rows_makes_a_picture_of_bounded_size(sample: Sample) -> None:
    rows = sample.rows(30_000)
    figure = sample.draw(rows)
    assert vertices(figure) < 25_000
    assert len(figure.findobj()) < 5_000
    assert len(sample.sketch(rows)) < 30_000


@EACH
def test_the_same_rows_make_the_same_file(sample: Sample, tmp_path: Path) -> None:
    rows = sample.rows(40)
    first, second = sample.draw(rows), sample.draw(rows)
    assert paint.svg_text(first) == paint.svg_text(second)
    if sample in TIMED[:2]:  # dots are made of the same lines: for two pictures it is tried that they say no time
        written = paint.save(first, tmp_path / "a.png").read_bytes()
        assert written == paint.save(second, tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize("sample", TIMED, ids=[sample.chart.NAME for sample in TIMED])
def test_a_time_axis_says_that_it_is_utc(sample: Sample) -> None:
    figure = sample.draw(sample.rows(30))
    assert "time (UTC)" in [axes.get_xlabel() for axes in figure.axes]
    last = bare(sample.sketch(sample.rows(30))).splitlines()[-1]
    assert " UTC " in last
    assert last.startswith("2026-11-20")


def widest(drawn: str) -> int:
    return max(max(labels.width_of(row), cell_len(bare(row))) for row in drawn.splitlines())


def inside(figure: Any) -> None:
    """Every word that is drawn is on the sheet."""
    warnings.filterwarnings("ignore", message="Glyph")
    paint.svg_text(figure)  # the layout is made when drawing
    renderer = figure._get_renderer()
    box = figure.bbox
    axises = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    ticks = {id(tick.label1) for axis in axises for tick in [*axis.majorTicks, *axis.minorTicks]}
    for text in figure.findobj(Text):
        if text.get_text() and id(text) not in ticks and text.get_visible():
            extent = text.get_window_extent(renderer)
            assert extent.x0 >= box.x0 - 1, text
            assert extent.x1 <= box.x1 + 1, text
            assert extent.y0 >= box.y0 - 1, text
            assert extent.y1 <= box.y1 + 1, text
    for axes in figure.axes:
        extent = axes.get_tightbbox(renderer)
        assert extent.x0 >= box.x0 - 1, axes
        assert extent.x1 <= box.x1 + 1, axes


def vertices(figure: Any) -> int:
    points = sum(len(line.get_xdata()) for line in figure.findobj(Line2D))
    points += sum(len(path.vertices) for group in figure.findobj(Collection) for path in group.get_paths())
    return points + sum(len(patch.get_path().vertices) for patch in figure.findobj(Patch))
