"""`run.py contracts rows`: everything in one table, once or kept up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.contracts.opened import Client, with_app
from menus.frame.commands import Json, screen
from valtrac.contracts.model.statuses import Status
from valtrac.core.errors import BadInput
from valtrac.wiring.contracts import ContractsApp


def rows(
    client: Client = None,
    status: Annotated[str, typer.Option("--status", help=f"Only payments that are: {', '.join(Status)}.")] = "",
    hours: Annotated[
        int | None, typer.Option("--hours", min=0, max=87_600, help="Only the last and the next so many hours.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Keep the table up to date; Ctrl-C leaves.")] = False,
    seconds: Annotated[int, typer.Option("--seconds", min=0, help="With --watch: stop by itself after so long.")] = 0,
    as_json: Json = False,
) -> None:
    """Show contracts and all their payments, refunds and notices too, in one table with coloured statuses."""
    from menus.contracts import rows as table

    if watch and as_json:
        raise BadInput("--watch draws a table", why="a program cannot read it", fix="leave --watch or --json out")
    if seconds and not watch:
        raise BadInput("--seconds goes with --watch", fix="add --watch")

    def act(own: ContractsApp) -> None:
        if watch:
            table.keep_showing(screen(), own, client=client, status=status, hours=hours, seconds=seconds)
        else:
            table.show(screen(as_json), own, client=client, status=status, hours=hours)

    with_app(act)
