"""`run.py snapshot ...`: the record of who had what stake when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import Hotkey, Json, group, opened, screen
from menus.frame.layout import count
from menus.snapshots.views import show
from valtrac.core.money import decimal_text
from valtrac.reports import prices
from valtrac.snapshots import files, snapshots
from valtrac.snapshots.model.stakes import parse_netuid

app = group("Snapshots: take, list, export, import.")
Netuid = Annotated[str, typer.Option("--netuid", help="A subnet's number, or all.")]


@app.command()
def take(hotkey: Hotkey = None, netuid: Netuid = "all", as_json: Json = False) -> None:
    """Take a snapshot of the finalized block now."""
    ui, valtrac = screen(as_json), opened()
    try:
        done = snapshots.take(
            valtrac.engine,
            valtrac.chain,
            valtrac.hotkey(hotkey),
            parse_netuid(netuid),
            mirror=lambda snapshot: files.mirror(valtrac.settings.logs, snapshot),
        )
        told = prices.note(valtrac.engine, valtrac.prices, done.stored[0][0].at)
    finally:
        valtrac.close()
    for snapshot, new in done.stored:
        unit = "TAO" if snapshot.netuid == 0 else "alpha"
        ui.done(
            f"Block {snapshot.block}, netuid {snapshot.netuid}: {count(len(snapshot.stakes), 'nominator')} with "
            f"{decimal_text(snapshot.others_stake)} {unit}" + ("." if new else ", known already.")
        )
    for why in done.refused:
        ui.warn(f"Not stored: {why}")
    if told:
        ui.hint(told)
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
    ui, done = screen(as_json), files.import_file(opened().engine, file)
    ui.done(f"{count(done.new, 'new snapshot')}, {done.known} known already, {count(done.readings, 'reading')}.")
    if as_json:
        ui.records({"new": done.new, "known": done.known, "readings": done.readings})
