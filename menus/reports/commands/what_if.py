"""`run.py what-if`: what other rules would have meant."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import Hotkey, Json, Out, opened, screen, units
from menus.reports import what_if_views
from menus.reports.options import From, Netuid, Preset, To, record_of
from valtrac.core.errors import BadInput
from valtrac.core.money import parse_bps
from valtrac.core.text import plain
from valtrac.reports import statistics
from valtrac.reports.model.what_if import Change, Outcome, replayed
from valtrac.snapshots.model.stakes import METHODS
from valtrac.tables.write import table
from valtrac.wiring.payouts import App


def what_if(
    take: Annotated[str | None, typer.Option("--take", help="Another take, like 0.18 or 18%.")] = None,
    rate: Annotated[list[str] | None, typer.Option("--rate", help="REFERRER=0.25, any number of times.")] = None,
    brought: Annotated[
        list[str] | None, typer.Option("--referral", help="REFEREE=REFERRER, or REFEREE= for none.")
    ] = None,
    minimum: Annotated[str | None, typer.Option("--minimum", help="Another least payment, in TAO.")] = None,
    method: Annotated[str | None, typer.Option("--method", help=", ".join(METHODS))] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Another pool, in TAO.")] = None,
    hotkey: Hotkey = None,
    netuid: Netuid = None,
    from_: From = None,
    to: To = None,
    range_: Preset = "all",
    out: Out = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="Write the chart to this .png or .svg.")] = None,
    as_json: Json = False,
) -> None:
    """Replay recorded history under other rules: who gains, who loses, what the owner keeps. Nothing is stored."""
    ui, valtrac = screen(as_json), opened()
    try:
        change = _change(valtrac, take, minimum, method, pool, rate or [], brought or [])
        result = replayed(record_of(valtrac, hotkey, netuid, from_, to, range_), change)
        what_if_views.outcome(ui, result)
        if picture is not None:
            what_if_views.picture(ui, result, picture)
        if out is not None:
            write(out, result)
            ui.done(f"Written: {out}")
    finally:
        valtrac.close()


def _change(
    valtrac: App,
    take: str | None,
    minimum: str | None,
    method: str | None,
    pool: str | None,
    rates: list[str],
    referrals: list[str],
) -> Change:
    """What is to be other than it was, from the words of the command. Raises BadInput, also where it is nothing."""
    if method is not None and method not in METHODS:
        raise BadInput(f"method: {plain(method, 40)!r} is none of {', '.join(METHODS)}", fix="choose one")
    least, shared = units(minimum, "minimum"), units(pool, "pool")
    change = Change(
        None if take is None else parse_bps(take, field="take") / 10_000,
        None if shared is None else shared / 10**9,
        None if least is None else least / 10**9,
        method,
        "users",
        {name: parse_bps(text, field="rate") for name, text in _pairs(valtrac, rates, "rate")},
        {
            name: statistics.user(valtrac.engine, text) if text else None
            for name, text in _pairs(valtrac, referrals, "referral")
        },
    )
    if change.nothing:
        raise BadInput("say what would be other than it was", fix="see: run.py what-if --help")
    return change


def write(path: Path, result: Outcome) -> None:
    """The table, in the format of the name's ending. Raises BadInput where the file cannot be written."""
    rows = [
        (row.name, Decimal(f"{row.was:.9f}"), Decimal(f"{row.would_be:.9f}")) for row in (result.owner, *result.rows)
    ]
    table(path, ("Name", "Was (TAO)", "Would be (TAO)"), rows)


def _pairs(valtrac: App, given: list[str], field: str) -> list[tuple[str, str]]:
    """NAME=VALUE, the name checked. Raises BadInput naming the field."""
    pairs: list[tuple[str, str]] = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise BadInput(f"{field}: {plain(text, 60)!r} has no '='", fix=f"write --{field} NAME=VALUE")
        who = statistics.user(valtrac.engine, name)
        if who in [known for known, _ in pairs]:
            raise BadInput(f"{field}: {plain(who, 60)} is named twice", fix="say it once")
        pairs.append((who, value.strip()))
    return pairs
