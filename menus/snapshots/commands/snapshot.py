"""`run.py snapshot ...`: the record of who had what stake when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import LARGEST, Hotkey, Json, opened, screen
from menus.frame.grouping import group
from menus.frame.layout import count
from menus.snapshots.views import last_block, show
from valtrac.core.money import decimal_text
from valtrac.loggers.recording import record
from valtrac.snapshots import files, rulings
from valtrac.snapshots.model.stakes import parse_netuid

app = group("Snapshots: take, list, export, import, rule-out, verify.")
Netuid = Annotated[str, typer.Option("--netuid", help="A subnet's number, or all.")]


@app.command()
def take(hotkey: Hotkey = None, netuid: Netuid = "all", as_json: Json = False) -> None:
    """Take a snapshot of the finalized block now."""
    ui, valtrac = screen(as_json), opened()
    try:
        recorded = record(valtrac, valtrac.hotkey(hotkey), parse_netuid(netuid))
    finally:
        valtrac.close()
    done = recorded.taken
    for snapshot, new in done.stored:
        unit = "TAO" if snapshot.netuid == 0 else "alpha"
        ui.done(
            f"Block {snapshot.block}, netuid {snapshot.netuid}: {count(len(snapshot.stakes), 'nominator')} with "
            f"{decimal_text(snapshot.others_stake)} {unit}" + ("." if new else ", known already.")
        )
    for why in done.refused:
        ui.warn(f"Not stored: {why}")
    for words in filter(None, (recorded.price, recorded.unproven)):
        ui.hint(words)
    if as_json:
        ui.records(
            [
                {"block": snapshot.block, "netuid": snapshot.netuid, "nominators": len(snapshot.stakes), "new": new}
                for snapshot, new in done.stored
            ]
        )


@app.command("list")
def list_(
    hotkey: Annotated[str | None, typer.Option("--hotkey", help="Only of this hotkey.")] = None,
    netuid: Netuid = "all",
    last: Annotated[int, typer.Option("--last", min=1, help="How many.")] = 30,
    as_json: Json = False,
) -> None:
    """List the newest snapshots."""
    show(screen(as_json), opened().engine, hotkey, parse_netuid(netuid), last)


@app.command()
def export(
    file: Path,
    hotkey: Hotkey = None,
    netuid: Netuid = "all",
    from_block: Annotated[int, typer.Option("--from", min=0, max=2**53)] = 0,
    to_block: Annotated[int, typer.Option("--to", min=0, max=2**53)] = 2**53,
) -> None:
    """Write snapshots to FILE (.csv, .xlsx, .parquet or .json), one reading a row."""
    valtrac = opened()
    written = files.export(valtrac.engine, file, valtrac.hotkey(hotkey), parse_netuid(netuid), from_block, to_block)
    screen().done(f"{count(written, 'snapshot')} written to {file}.")


@app.command("import")
def import_(file: Path, as_json: Json = False) -> None:
    """Store the snapshots of FILE, all or nothing; what is known already is passed over.

    FILE is CSV, .xlsx, .ods or .parquet.
    """
    ui, valtrac = screen(as_json), opened()
    try:
        done = files.import_file(valtrac.engine, file, head=last_block(ui, valtrac))
    finally:
        valtrac.close()
    ui.done(f"{count(done.new, 'new snapshot')}, {done.known} known already, {count(done.readings, 'reading')}.")
    if as_json:
        ui.records({"new": done.new, "known": done.known, "readings": done.readings})


@app.command("rule-out")
def rule_out(
    block: Annotated[int, typer.Argument(min=0, max=LARGEST, help="The block of the snapshot.")],
    words: Annotated[str, typer.Option("--words", help="Why it does not count; kept for ever.")],
    hotkey: Hotkey = None,
    netuid: Netuid = "all",
    as_json: Json = False,
) -> None:
    """Say that the snapshot of BLOCK does not count: a slip in a file, say. It stays recorded, with your words."""
    ui, valtrac = screen(as_json), opened()
    ruled = rulings.rule_out(valtrac.engine, valtrac.hotkey(hotkey), parse_netuid(netuid), block, words)
    ui.done(f"The snapshot of block {block}, netuid {', '.join(map(str, ruled))}, does not count any more.")
    if as_json:
        ui.records({"block": block, "netuids": ruled, "words": words})


@app.command()
def verify(as_json: Json = False) -> None:
    """Read every snapshot back from its bytes, and compare it with what was recorded."""
    from valtrac.snapshots import verifying

    ui, valtrac = screen(as_json), opened()
    try:
        with ui.progress("Reading back") as told:
            done = verifying.verify(valtrac.engine, told)
    finally:
        valtrac.close()
    ui.done(f"{count(done.snapshots, 'snapshot')} with {count(done.readings, 'reading')} are what was recorded.")
    if as_json:
        ui.records({"snapshots": done.snapshots, "readings": done.readings})
