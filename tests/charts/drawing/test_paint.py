"""Pictures as files and as part of a page: PNG, SVG, the same each time, with nothing that reaches outside."""

from __future__ import annotations

import functools
import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest

from charts.drawing import paint
from tests.charts.samples import ALL, GLOBAL, HOSTILE, SHARES, STAKES, Sample, share_rows
from valtrac.core.errors import BadInput

EACH = pytest.mark.parametrize("sample", ALL, ids=[sample.chart.NAME for sample in ALL])
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def figure() -> Any:
    """A picture, drawn once: saving leaves it as it is."""
    return STAKES.draw(STAKES.rows(20))


@pytest.fixture(scope="module")
def on_a_page(figure: Any) -> str:
    """That picture as part of a page."""
    return paint.svg_text(figure)


@functools.cache
def page_part(name: str, prefix: str, *, hostile: bool = False) -> str:
    """A chart as part of a page: of thirty rows, or of rows with names that mean harm."""
    sample = next(sample for sample in ALL if name == sample.chart.NAME)
    rows = sample.named(HOSTILE) if hostile and sample.named else sample.rows(30)
    return paint.svg_text(sample.draw(rows), prefix=prefix)


def test_the_ending_of_the_name_says_which_kind(figure: Any, tmp_path: Path) -> None:
    assert paint.save(figure, tmp_path / "new" / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert Tree.parse(paint.save(figure, tmp_path / "A.SVG")).getroot().tag == f"{SVG}svg"


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svg.gz", ".png"])
def test_another_ending_is_refused(figure: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no name of a PNG or SVG"):
        paint.save(figure, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(figure: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name in ("a.png", "a.svg"):
        with pytest.raises(BadInput, match="cannot be written"):
            paint.save(figure, tmp_path / "file" / name)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        paint.save(figure, tmp_path / "folder.png")


@pytest.mark.parametrize("width_px", [640, 3840])
def test_a_png_is_as_wide_as_asked(figure: Any, tmp_path: Path, width_px: int) -> None:
    head = paint.save(figure, tmp_path / "a.png", width_px=width_px).read_bytes()[:24]
    assert abs(struct.unpack(">I", head[16:20])[0] - width_px) <= 1


@pytest.mark.parametrize("width_px", [0, -1, 199, 1_000_000])
def test_a_width_out_of_bounds_is_refused(figure: Any, tmp_path: Path, width_px: int) -> None:
    with pytest.raises(BadInput, match="pixels wide"):
        paint.save(figure, tmp_path / "a.png", width_px=width_px)


def test_a_file_tells_neither_time_nor_program(figure: Any, tmp_path: Path) -> None:
    assert b"Software" not in paint.save(figure, tmp_path / "a.png").read_bytes()
    assert "atplotlib v" not in paint.save(figure, tmp_path / "a.svg").read_text(encoding="utf-8")


@EACH
def test_the_element_for_a_page_stands_alone_and_reaches_nowhere(sample: Sample) -> None:
    text = page_part(sample.chart.NAME, "p7", hostile=sample.named is not None)
    assert text.startswith("<svg ")
    assert text.rstrip().endswith("</svg>")
    root = Tree.fromstring(text)
    tags = {part.tag.removeprefix(SVG) for part in root.iter()}
    assert tags <= {"svg", "g", "defs", "path", "use", "text", "tspan", "clipPath", "rect", "pattern", "image"}
    assert "image" not in tags
    for part in root.iter():
        assert not any(key.lower().startswith("on") for key in part.attrib)
        assert part.get(LINK, "#").startswith("#")
        assert "href" not in part.attrib
        assert not re.search(r"url\((?!#p7-)", " ".join(part.attrib.values()))


@EACH
def test_every_id_begins_with_the_prefix_and_every_reference_finds_its_own(sample: Sample) -> None:
    root = Tree.fromstring(page_part(sample.chart.NAME, "p7", hostile=False))
    ids = [part.attrib["id"] for part in root.iter() if "id" in part.attrib]
    assert len(ids) == len(set(ids))
    assert all(one.startswith("p7-") for one in ids)
    pointed = {part.attrib[LINK][1:] for part in root.iter() if LINK in part.attrib}
    pointed |= {
        one for part in root.iter() for value in part.attrib.values() for one in re.findall(r"url\(#(.*?)\)", value)
    }
    assert pointed <= set(ids)


def test_on_a_page_words_and_lines_have_the_page_s_colour_and_there_is_no_background(on_a_page: str) -> None:
    assert "currentColor" in on_a_page
    assert not re.search(f"{paint.INK}|{paint.QUIET}|{paint.GRID}", on_a_page, re.IGNORECASE)
    assert "fill: #ffffff" not in on_a_page
    assert paint.COLOURS[0].lower() in on_a_page
    assert 'width="100%"' in on_a_page


def test_what_somebody_wrote_is_not_taken_for_a_colour() -> None:
    text = paint.svg_text(SHARES.draw(share_rows(["fill: #333333", "#595959", "url(#x)"])))
    said = list(Tree.fromstring(text).itertext())
    assert {"fill: #333333", "#595959", "url(#x)"} <= set(said)


def test_words_in_a_drawing_are_text_that_can_be_found_and_read_aloud(on_a_page: str) -> None:
    said = list(Tree.fromstring(on_a_page).itertext())
    assert {"Stake over time", "nominators (TAO)", "time (UTC)"} <= set(said)


def test_a_page_s_other_parts_keep_their_style(on_a_page: str) -> None:
    assert "<style" not in on_a_page
    assert "<script" not in on_a_page


@pytest.mark.parametrize("prefix", ["", "1a", 'a"b', "a b", "<a>"])
def test_a_prefix_that_is_no_beginning_of_an_id_is_refused(figure: Any, prefix: str) -> None:
    with pytest.raises(ValueError, match="no beginning"):
        paint.svg_text(figure, prefix=prefix)


def test_settings_of_others_are_left_as_they_were(figure: Any) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    paint.svg_text(figure)
    paint.svg_text(GLOBAL.draw(GLOBAL.rows(5)))
    assert dict(matplotlib.rcParams) == before


def test_colours_are_okabe_and_ito_s() -> None:
    assert len(set(paint.COLOURS)) == 8
    assert paint.COLOURS[0] == "#0072B2"


def test_the_letters_that_no_font_has_are_named() -> None:
    figure = SHARES.draw(share_rows(["ann", "Łukasz", "\U000130b8\U00012000"]))
    assert paint.lacking(figure) == "\U00012000\U000130b8"
    assert paint.lacking(STAKES.draw(STAKES.rows(20))) == ""
