"""How commands take a range, and the record of it."""

from __future__ import annotations

from typing import Annotated

import typer

from valtrac.reports import statistics
from valtrac.reports.model import ranges
from valtrac.reports.model.record import Record
from valtrac.snapshots.model.stakes import parse_netuid
from valtrac.wiring.payouts import App

From = Annotated[str | None, typer.Option("--from", help="A block or a day (2026-10-01, UTC).")]


To = Annotated[str | None, typer.Option("--to", help="A block or a day, whole.")]


Preset = Annotated[str, typer.Option("--range", help=f"{', '.join(ranges.PRESETS)}: without --from and --to.")]


Netuid = Annotated[
    str | None,
    typer.Option("--netuid", help="Whose stake: a subnet, or all in TAO. Not named: the subnet with the most stake."),
]


Who = Annotated[str | None, typer.Option("--user", help="A user, or a nominator's address.")]


def record_of(
    valtrac: App, hotkey: str | None, netuid: str | None, from_: str | None, to: str | None, preset: str
) -> Record:
    """The record of a range given in words."""
    chosen = valtrac.hotkey(hotkey)
    return statistics.record(
        valtrac.engine,
        valtrac.settings,
        statistics.Range(
            chosen,
            statistics.subnet_of_stake(valtrac.engine, chosen) if netuid is None else parse_netuid(netuid),
            ranges.bound(from_, field="from"),
            ranges.bound(to, field="to", end=True),
            preset,
        ),
    )
