"""A chart on the screen, and as picture files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from charts.drawing import paint
from menus.frame import dashes
from menus.frame.ui import Ui

MOST_LETTERS = 40


def show(
    ui: Ui,
    figure: Any,
    sketch: Callable[[int], str],
    name: str,
    folder: Path,
    out: Path | None,
    *,
    width_px: int | None,
    rows: Any = None,
) -> None:
    """Write a figure to `out`, or as PNG and SVG into the folder, and draw it on the screen. rows: what it is drawn
    from, as plain values, for programs. Raises BadInput."""
    places = [out] if out is not None else [folder / f"{name}.png", folder / f"{name}.svg"]
    for path in places:
        paint.save(figure, path, width_px=width_px)
    if ui.as_json:
        ui.records({"chart": name, "files": [str(path) for path in places], "rows": rows})
        return
    if not dashes.is_output(out):
        ui.drawing(sketch(ui.out.width))
    ui.done(f"Written: {' and '.join(str(path) for path in places)}")
    tell_boxes(ui, figure, *places)


def tell_boxes(ui: Ui, figure: Any, *places: Path) -> None:
    """Say which letters of a picture are boxes, because no font of this machine has them."""
    if any(path.suffix.lower() == ".png" for path in places) and (letters := paint.lacking(figure)):
        ui.warn(
            f"No font of this machine has the letters {letters[:MOST_LETTERS]}: they are boxes in the PNG. Install one "
            "that has them, such as Noto Sans CJK, or draw an .svg."
        )
