"""`run.py stats NAME`, `run.py what-if`: figures of a range, and what other rules would have meant."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from menus import stats_views as views
from menus import what_if_views
from menus.commands.common import Hotkey, Json, opened, screen, units
from valtrac.app import App
from valtrac.domain import ranges
from valtrac.domain.figures import Record
from valtrac.domain.money import parse_bps
from valtrac.domain.stakes import METHODS, parse_netuid
from valtrac.domain.text import csv_cell, plain
from valtrac.domain.what_if import Change, Outcome, replayed
from valtrac.errors import BadInput
from valtrac.services import statistics

From = Annotated[str | None, typer.Option("--from", help="A block or a day (2026-10-01, UTC).")]
To = Annotated[str | None, typer.Option("--to", help="A block or a day, whole.")]
Preset = Annotated[str, typer.Option("--range", help=f"{', '.join(ranges.PRESETS)}: without --from and --to.")]
Netuid = Annotated[str, typer.Option("--netuid", help="Whose stake: a subnet, or all in TAO.")]
Who = Annotated[str | None, typer.Option("--user", help="A user, or a nominator's address.")]
GLOSSARY = "glossary"


def stats(
    name: Annotated[str, typer.Argument(help=f"{', '.join((*views.VIEWS, GLOSSARY))}.")] = "overview",
    user: Who = None,
    hotkey: Hotkey = None,
    netuid: Netuid = "0",
    from_: From = None,
    to: To = None,
    range_: Preset = "all",
    as_json: Json = False,
) -> None:
    """Show figures of a range, such as overview, user, rates or coverage; `glossary` says what each means."""
    ui = screen(as_json)
    if name == GLOSSARY:
        views.glossary(ui)
        return
    if name not in views.VIEWS:
        raise BadInput(f"there is no figure {plain(name, 40)!r}", "", "choose one", problems=[*views.VIEWS, GLOSSARY])
    valtrac = opened()
    try:
        who = None if user is None else statistics.user(valtrac.engine, user)
        if name == "user" and who is None:
            raise BadInput("say whose figures", "", "--user NAME")
        views.VIEWS[name](ui, valtrac, record_of(valtrac, hotkey, netuid, from_, to, range_), who)
    finally:
        valtrac.close()


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
    netuid: Netuid = "0",
    from_: From = None,
    to: To = None,
    range_: Preset = "all",
    out: Annotated[Path | None, typer.Option("--out", help="Write the table to this CSV file.")] = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="Write the chart to this .png or .svg.")] = None,
    as_json: Json = False,
) -> None:
    """Replay recorded history under other rules: who gains, who loses, what the owner keeps. Nothing is stored."""
    ui, valtrac = screen(as_json), opened()
    try:
        if method is not None and method not in METHODS:
            raise BadInput(f"method: {plain(method, 40)!r} is none of {', '.join(METHODS)}", "", "choose one")
        least, shared = units(minimum, "minimum"), units(pool, "pool")
        change = Change(
            None if take is None else parse_bps(take, field="take") / 10_000,
            None if shared is None else shared / 10**9,
            None if least is None else least / 10**9,
            method,
            "users",
            {name: parse_bps(text, field="rate") for name, text in _pairs(valtrac, rate or [], "rate")},
            {
                name: statistics.user(valtrac.engine, text) if text else None
                for name, text in _pairs(valtrac, brought or [], "referral")
            },
        )
        if change.nothing:
            raise BadInput("say what would be other than it was", "", "see: run.py what-if --help")
        found = replayed(record_of(valtrac, hotkey, netuid, from_, to, range_), change)
        what_if_views.outcome(ui, found)
        if picture is not None:
            what_if_views.picture(ui, found, picture)
        if out is not None:
            write(out, found)
            ui.done(f"Written: {out}")
    finally:
        valtrac.close()


def record_of(valtrac: App, hotkey: str | None, netuid: str, from_: str | None, to: str | None, preset: str) -> Record:
    """The record of a range given in words."""
    return statistics.record(
        valtrac.engine,
        valtrac.settings,
        statistics.Range(
            valtrac.hotkey(hotkey),
            parse_netuid(netuid),
            ranges.bound(from_, field="from"),
            ranges.bound(to, field="to", end=True),
            preset,
        ),
    )


def write(path: Path, found: Outcome) -> None:
    """The table as CSV. Raises BadInput where the file cannot be written."""
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(["Name", "Was (TAO)", "Would be (TAO)"])
            for row in (found.owner, *found.rows):
                rows.writerow([csv_cell(row.name), f"{row.was:.9f}", f"{row.would_be:.9f}"])
    except OSError as error:
        raise BadInput(f"{plain(path)} cannot be written", plain(error.strerror), "name another file") from error


def _pairs(valtrac: App, given: list[str], field: str) -> list[tuple[str, str]]:
    """NAME=VALUE, the name checked. Raises BadInput naming the field."""
    found: list[tuple[str, str]] = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign:
            raise BadInput(f"{field}: {plain(text, 60)!r} has no '='", "", f"write --{field} NAME=VALUE")
        who = statistics.user(valtrac.engine, name)
        if who in [known for known, _ in found]:
            raise BadInput(f"{field}: {plain(who, 60)} is named twice", "", "say it once")
        found.append((who, value.strip()))
    return found
