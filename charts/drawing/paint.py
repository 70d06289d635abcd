"""What all charts share as pictures: their colours, and how they leave as PNG or SVG."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

# Okabe and Ito's palette: told apart by the colour-blind
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442", "#000000")
INK, QUIET, GRID, PAPER, OTHERS = "#333333", "#595959", "#e4e4e4", "#ffffff", "#a6a6a6"
BLUE, RED, GREEN = COLOURS[0], COLOURS[1], COLOURS[2]
# on a page of another colour these become the colour of its text, so strong
_ON_PAGE = {INK: "1", QUIET: "0.75", GRID: "0.15", COLOURS[7]: "1"}
# where the machine has one of these, names in other scripts show as they are
_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Noto Sans Symbols2",
    "Segoe UI Symbol",
)
_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
LEAST_PX, MOST_PX = 200, 10_000


def save(figure: Any, path: Path, *, width_px: int | None = None) -> Path:
    """Write a figure as PNG or SVG, told by the name's ending. width_px: of a PNG, 3840 for a 4K screen.

    Raises BadInput for another ending, a width out of bounds, or a place that cannot be written.
    """
    from valtrac.core.errors import BadInput
    from valtrac.core.home import write_for_its_owner

    suffix = path.suffix.lower()
    if suffix not in (".png", ".svg"):
        raise BadInput(f"{path} is no name of a PNG or SVG file", fix="let it end in .png or .svg")
    if width_px is not None and not LEAST_PX <= width_px <= MOST_PX:
        raise BadInput(f"a picture {width_px} pixels wide", fix=f"choose {LEAST_PX} to {MOST_PX}")
    if suffix == ".svg":
        written = b'<?xml version="1.0" encoding="utf-8"?>\n' + _svg(figure, "", on_page=False).encode()
    else:
        written = _png(figure, width_px)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_for_its_owner(path, written)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written", why=str(error.strerror), fix="name another file with --out"
        ) from error
    return path


def lacking(figure: Any) -> str:
    """The letters of a figure that no font of this machine has: a PNG shows boxes in their place."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.text import Text

    with _ready(figure):
        letters = sorted({letter for text in figure.findobj(Text) for letter in text.get_text() if letter > "~"})
        fonts = [get_font(findfont(FontProperties(family=[family]))) for family in _families()]
    return "".join(
        letter
        for letter in letters
        if not letter.isspace() and not any(font.get_char_index(ord(letter)) for font in fonts)
    )


def svg_text(figure: Any, *, prefix: str = "chart") -> str:
    """The <svg> element of a figure, to stand in an HTML page of any colour: no background, lines and words in the
    colour of the page's text. prefix: before every id, another one for each figure of a page.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", prefix):
        raise ValueError(f"no beginning of an id: {prefix!r}")
    return _svg(figure, f"{prefix}-", on_page=True)


def _png(figure: Any, width_px: int | None) -> bytes:
    file = io.BytesIO()
    dpi = figure.dpi if width_px is None else width_px / figure.get_figwidth()
    with _ready(figure):
        figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None})
    return file.getvalue()


def _svg(figure: Any, prefix: str, *, on_page: bool) -> str:
    file = io.BytesIO()
    with _ready(figure):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=on_page)
    root = Tree.fromstring(file.getvalue())  # noqa: S314 - matplotlib wrote it a line above
    for holder in list(root.iter()):
        for part in list(holder):
            # matplotlib's style would hold for the whole page; what it says stands in the root below
            if part.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                holder.remove(part)
    for part in root.iter():
        _name_ids(part, prefix)
        if on_page and "style" in part.attrib:
            part.set("style", _on_page(part.attrib["style"]))
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    if on_page:
        root.attrib.pop("height")
        root.set("width", "100%")
    Tree.register_namespace("", _SVG)
    Tree.register_namespace("xlink", _LINK)
    return Tree.tostring(root, encoding="unicode")


def _name_ids(part: Tree.Element, prefix: str) -> None:
    """Put the prefix before an element's id and before the ids that it points to."""
    for key, value in part.attrib.items():
        if key == "id":
            part.set(key, prefix + value)
        elif key == f"{{{_LINK}}}href":
            part.set(key, value.replace("#", f"#{prefix}", 1))
        elif "url(#" in value:
            part.set(key, value.replace("url(#", f"url(#{prefix}"))


def _on_page(style: str) -> str:
    """A style whose inks are the page's own."""
    for ink, strength in _ON_PAGE.items():
        for kind in ("fill", "stroke"):
            own = f"{kind}: currentColor; {kind}-opacity: {strength}"
            style = re.sub(rf"\b{kind}: {ink}\b", own, style, flags=re.IGNORECASE)
    return style


@contextmanager
def _ready(figure: Any) -> Iterator[None]:
    """Words as they are and never as formulas, the same file for the same figure, quiet about signs no font has."""
    import matplotlib
    from matplotlib.text import Text

    families = _families()
    settings = {
        "font.family": families,
        "text.parse_math": False,
        "text.usetex": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "valtrac",
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        for text in figure.findobj(Text):
            text.set_parse_math(False)
            text.set_fontfamily(families)
        yield


def _families() -> list[str]:
    """The fonts to look for letters in, one after the other."""
    from matplotlib.font_manager import fontManager

    return ["sans-serif", *(name for name in _SCRIPTS if name in fontManager.get_font_names())]
