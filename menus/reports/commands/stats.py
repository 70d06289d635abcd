"""`run.py stats NAME`: figures of a range."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame.commands import Hotkey, Json, Out, opened, screen
from menus.frame.layout import count
from menus.reports import keeping, views
from menus.reports.options import From, Netuid, Preset, To, Who, record_of
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.reports import statistics

GLOSSARY = "glossary"


def stats(
    name: Annotated[str, typer.Argument(help=f"{', '.join((*views.VIEWS, GLOSSARY))}.")] = "overview",
    user: Who = None,
    hotkey: Hotkey = None,
    netuid: Netuid = None,
    from_: From = None,
    to: To = None,
    range_: Preset = "all",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Show figures of a range, such as overview, user, rates or coverage; `glossary` says what each means."""
    ui = screen(as_json) if out is None else keeping.Keeping()
    if name == GLOSSARY:
        views.glossary(ui)
        if isinstance(ui, keeping.Keeping) and out is not None:
            screen(as_json).done(f"{count(ui.write(out), 'row')} written to {out}.")
        return
    if name not in views.VIEWS:
        raise BadInput(f"there is no figure {plain(name, 40)!r}", fix="choose one", problems=[*views.VIEWS, GLOSSARY])
    valtrac = opened()
    try:
        who = None if user is None else statistics.user(valtrac.engine, user)
        if name == "user" and who is None:
            raise BadInput("say whose figures", fix="--user NAME")
        views.VIEWS[name](ui, valtrac, record_of(valtrac, hotkey, netuid, from_, to, range_), who)
        if isinstance(ui, keeping.Keeping) and out is not None:
            screen(as_json).done(f"{count(ui.write(out), 'row')} written to {out}.")
    finally:
        valtrac.close()
