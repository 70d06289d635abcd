"""`run.py statement ...`: what people were paid in a period, for them and for the tax office."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from charts.drawing import pages, paint
from menus.frame.commands import Hotkey, opened, screen
from menus.frame.ui import Ui
from menus.reports import drawing
from menus.reports.drawing import safe_name
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.payouts import proofs
from valtrac.reports import statements, statistics
from valtrac.reports.model import measures, ranges
from valtrac.reports.model.ranges import Bound
from valtrac.reports.model.record import Record
from valtrac.reports.model.statements import Statement
from valtrac.tables.write import FORMATS as TABLES
from valtrac.tables.write import write_text
from valtrac.wiring.payouts import App

PAGE = "html"
FORMATS = (PAGE, *TABLES)
# what a file of each format begins with, so that a statement takes the place of no other file of its owner's
BEGINNINGS = {
    PAGE: b"<!DOCTYPE html>",
    "csv": b"Date,Sent Amount",
    "xlsx": b"PK\x03\x04",
    "parquet": b"PAR1",
    "json": b"[",
}
FIGURES_OF_A_USER = ("user-balance", "user-apr")
FIGURES_OF_ALL = ("stake-over-time", "global-apr", "pool-and-payouts", "shares")
NOTES = (
    "Amounts are what arrived on the chain; values are at the price of the time of each payment, and unknown where no "
    "price was recorded. Nothing on this page is loaded from anywhere else.",
    "Each payment follows from the stakes recorded on the chain. Ask for its proof: a file that anyone can check "
    "with a short script.",
)


def statement(
    whom: Annotated[str | None, typer.Argument(help="A user, or an address of a nominator.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Everyone, and a page for the whole validator.")] = False,
    period: Annotated[str, typer.Option("--period", help="A month (2026-10) or a year (2026).")] = "",
    format_: Annotated[str, typer.Option("--format", help="html, or a table: csv, xlsx, parquet, json.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="The folder (or, of one, the file).")] = None,
    with_proofs: Annotated[bool, typer.Option("--proofs", help="Write the proof of each payment beside it.")] = False,
    hotkey: Hotkey = None,
    as_json: Annotated[bool, typer.Option("--json", help="What was written, as JSON.")] = False,
) -> None:
    """Write a statement of payments: a page, or a table such as the CSV that tax tools read."""
    if every == (whom is not None):
        raise BadInput("say whose: a name, or --all", fix="run.py statement NAME --period 2026-10")
    format_ = format_ or (_ending(out) if out is not None and _ending(out) in FORMATS else PAGE)
    if format_ not in FORMATS:
        raise BadInput(f"format: {plain(format_, 40)!r} is none of {', '.join(FORMATS)}", fix="--format html")
    if not period:
        raise BadInput("say for which time", fix="--period 2026-10, or --period 2026")
    if with_proofs and not every:
        raise BadInput("--proofs goes with --all", fix=f"of one payment: run.py payout proof BATCH {plain(whom, 40)}")
    first, last = ranges.month(period)
    out = checked(out, format_, every=every)
    ui, valtrac = screen(as_json), opened()
    try:
        folder = out or valtrac.settings.data / "statements" / period
        if every:
            made = statements.every(valtrac.engine, valtrac.settings, first, last)
            if not made:
                raise BadInput(f"nobody was paid in {period}", fix="choose another period")
            written = write_all(ui, valtrac, made, folder, format_, period, hotkey, with_proofs=with_proofs)
        else:
            asked = statements.of(valtrac.engine, valtrac.settings, whom or "", first, last)
            path = folder if _ending(folder) in FORMATS else folder / f"{file_name(asked)}.{format_}"
            write_one(valtrac, asked, path, format_, record_or_none(valtrac, hotkey, asked))
            if not asked.payments:
                ui.warn(f"Nothing was paid to {asked.name} in {period}.")
            written = [path]
        if as_json:
            typer.echo(json.dumps([str(path) for path in written], indent=2))
        ui.done(f"Written: {written[0]}" + (f" and {len(written) - 1} more in {folder}" if len(written) > 1 else ""))
    finally:
        valtrac.close()


def write_all(
    ui: Ui,
    valtrac: App,
    made: list[Statement],
    folder: Path,
    format_: str,
    period: str,
    hotkey: str | None,
    *,
    with_proofs: bool,
) -> list[Path]:
    """Everyone's statement, and one of all: a page with every payment, or one table."""
    record = record_or_none(valtrac, hotkey, made[0])
    written: list[Path] = [folder / f"all.{format_}"]
    links: dict[tuple[int, str], str] = {}
    if with_proofs:
        (folder / "proofs").mkdir(parents=True, exist_ok=True)
    with ui.progress(f"Statements of {period}") as tell:
        for place, statement in enumerate(made, 1):
            path = folder / f"{place:04}-{file_name(statement)}.{format_}"
            write_one(valtrac, statement, path, format_, record)
            written.append(path)
            for payment in statement.payments if with_proofs else ():
                name = f"proofs/batch-{payment.batch}-{place:04}.json"
                try:
                    proofs.write_proof(valtrac.engine, payment.batch, payment.name, folder / name, with_script=True)
                except BadInput:  # a balance that was paid on request: its proof is the ledger
                    continue
                links[payment.batch, payment.name] = name
            tell(place, len(made), statement.name)
    if format_ != PAGE:
        statements.write_table(written[0], made)
    else:
        about = {} if record is None else {"Validator": record.hotkey}
        page = pages.validator(f"All payments of {period}", made, _figures(valtrac, record, None), about, links, NOTES)
        write_text(written[0], page)
    return written


def write_one(valtrac: App, statement: Statement, path: Path, format_: str, record: Record | None) -> None:
    """One statement as a page or as a table."""
    if format_ != PAGE:
        statements.write_table(path, [statement])
        return
    about: dict[str, str] = {}
    if record is not None and statement.person.startswith("user:"):
        figures = measures.person(record, statement.name, statistics.shares(record))
        stake, share = f"{figures.stake:,.9f} {record.unit}", f"{figures.adjusted:.4f}% of a pool"
        about = {"Stake at the end": stake, "Share": share}
    shown = _figures(valtrac, record, statement.name) if record is not None else []
    write_text(path, pages.statement(statement, shown, about, NOTES))


def checked(out: Path | None, format_: str, *, every: bool) -> Path | None:
    """Where to write. Raises BadInput where the name says another format, or a file that is no statement is there."""
    suffix = "" if out is None else out.suffix.lower()
    if out is None or (out.is_dir() or not suffix):
        return out
    if every or suffix != f".{format_}":
        raise BadInput(
            f"out: {plain(out.name, 60)!r} is no name for this",
            why="everyone's statements go into a folder" if every else f"the format is {format_}",
            fix="name a folder" if every else f"let it end in .{format_}, or name a folder",
        )
    if out.exists():
        with open(out, "rb") as file:
            head = file.read(80)
        if head and not head.lstrip().startswith(BEGINNINGS[format_]):
            raise BadInput(f"{plain(out)} exists and is no statement", why="it would be lost", fix="name another file")
    return out


def _ending(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")


def file_name(statement: Statement) -> str:
    """A part of a file's name that no system trips over."""
    return safe_name(statement.name)


def record_or_none(valtrac: App, hotkey: str | None, statement: Statement) -> Record | None:
    """The record of the statement's period, for its charts; None where no hotkey is set or nothing was recorded."""
    try:
        key = valtrac.hotkey(hotkey)
        netuid = statistics.subnet_of_stake(valtrac.engine, key)
        chosen = statistics.Range(key, netuid, Bound(at=statement.first), Bound(at=statement.last))
        return statistics.record(valtrac.engine, valtrac.settings, chosen)
    except BadInput:
        return None


def _figures(valtrac: App, record: Record | None, who: str | None) -> list[tuple[str, str]]:
    """The charts of a page, ready to stand in it."""
    if record is None:
        return []
    files = []
    for name in FIGURES_OF_A_USER if who else FIGURES_OF_ALL:
        chart = drawing.chart_of(name)
        figure, _ = drawing.drawn(valtrac, record, chart, who)
        files.append((chart.TITLE, paint.svg_text(figure, prefix=name)))
    return files
