"""`run.py snapshot ...`: the record of who had what stake when."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.commands.common import Hotkey, Json, group, opened, screen
from menus.layout import count
from menus.ui import Ui
from valtrac.domain.addresses import shortened
from valtrac.domain.money import decimal_text
from valtrac.domain.stakes import parse_netuid
from valtrac.services import prices, snapshot_files, snapshots
from valtrac.store import snapshots as stored
from valtrac.store.engine import reading

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
            mirror=lambda snapshot: snapshot_files.mirror(valtrac.settings.logs, snapshot),
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
    """Write snapshots to FILE, one reading a row."""
    valtrac = opened()
    written = snapshot_files.export_csv(
        valtrac.engine, file, valtrac.hotkey(hotkey), parse_netuid(netuid), from_block, to_block
    )
    screen().done(f"{count(written, 'snapshot')} written to {file}.")


@app.command("import")
def import_(file: Path, as_json: Json = False) -> None:
    """Store the snapshots of FILE, all or nothing; what is known already is passed over."""
    ui, done = screen(as_json), snapshot_files.import_csv(opened().engine, file)
    ui.done(f"{count(done.new, 'new snapshot')}, {done.known} known already, {count(done.readings, 'reading')}.")
    if as_json:
        ui.records({"new": done.new, "known": done.known, "readings": done.readings})


def show(ui: Ui, engine: object, hotkey: str | None, netuid: int | None, last: int) -> None:
    """The newest snapshots as a table, or as JSON."""
    with reading(engine) as conn:  # type: ignore[arg-type]
        rows = stored.listed(conn, hotkey, netuid, last)
    if ui.as_json:
        ui.records(
            [
                {
                    "hotkey": row.hotkey,
                    "netuid": row.netuid,
                    "block": row.block,
                    "at": row.at.isoformat(),
                    "nominators": row.heads,
                    "owner": row.owner,
                    "owner_stake_rao": str(row.owner_stake),
                    "others_stake_rao": str(row.others_stake),
                    "price_rao": None if row.price_rao is None else str(row.price_rao),
                    "verified": row.verified,
                }
                for row in rows
            ]
        )
        return
    ui.table(
        "Snapshots, the newest first",
        [
            "at UTC",
            "block",
            "hotkey",
            "netuid",
            "nominators",
            "their stake (TAO/alpha)",
            "owner's own (TAO/alpha)",
            "sum",
        ],
        [
            [
                f"{row.at:%Y-%m-%d %H:%M}",
                row.block,
                shortened(row.hotkey) if len({row.hotkey for row in rows}) > 1 else "",
                row.netuid,
                row.heads,
                decimal_text(row.others_stake),
                decimal_text(row.owner_stake),
                "" if row.verified else "unverified",
            ]
            for row in rows
        ],
        optional=["sum", "hotkey", "owner's own", "nominators"],
        empty="No snapshots yet. Take one: run.py snapshot take, or start the logger: run.py logger start stakes",
    )
