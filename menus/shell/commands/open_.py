"""`run.py open`: what was written last, a page, a picture or a table, in whatever shows it on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import Json, loaded, screen
from valtrac.core.errors import BadInput
from valtrac.core.text import plain

FOLDERS = ("charts", "statements", "proofs")
SHOWN_BEST = (".html", ".svg", ".png", ".xlsx", ".csv", ".json")  # of what was written together
MOST = 20
TOGETHER_S = 2.0


def written(data: Path) -> list[Path]:
    """The files of charts, statements and proofs, the newest first; of those written together, what shows best."""
    files = [path for name in FOLDERS for path in (data / name).rglob("*") if path.is_file() and not path.is_symlink()]
    newest = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)
    if not newest:
        return []
    last = newest[0].stat().st_mtime

    def place(path: Path) -> tuple[bool, int]:
        together = last - path.stat().st_mtime <= TOGETHER_S
        return not together, SHOWN_BEST.index(path.suffix) if together and path.suffix in SHOWN_BEST else len(
            SHOWN_BEST
        )

    return sorted(newest, key=place)


def open(
    which: Annotated[str, typer.Argument(help="A part of its name; without one, the newest.")] = "",
    show: Annotated[bool, typer.Option("--list", help="Only list what there is, the newest first.")] = False,
    as_json: Json = False,
) -> None:
    """Open what was written last: a chart, a statement or a proof. Without a desktop its path is printed."""
    ui, settings = screen(as_json), loaded()
    files = [path for path in written(settings.data) if which.casefold() in path.name.casefold()]
    if not files:
        raise BadInput(
            f"nothing was written here whose name holds {plain(which, 60)!r}"
            if which
            else "nothing was written here yet",
            fix="draw a chart, or write a statement: run.py chart, run.py statement --help",
        )
    if as_json:
        ui.records([str(path) for path in files[:MOST]])
        return
    for path in files[:MOST] if show else files[:1]:
        ui.line(str(path))
    if show:
        return
    if _is_looked_at() and _has_desktop():
        typer.launch(str(files[0]))


def _has_desktop() -> bool:
    return sys.platform == "darwin" or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _is_looked_at() -> bool:
    return sys.stdout.isatty()
