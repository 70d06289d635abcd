"""`run.py referrals ...`: who brought whom, and what part goes up the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame import pick
from menus.frame.commands import FromBlock, Json, Yes, agree, opened, screen
from menus.frame.grouping import group
from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.frame.values import values
from menus.people.tree import show_tree
from valtrac.core.errors import Refused
from valtrac.core.money import bps_text, parse_bps
from valtrac.people import referrals

app = group("Referrals: add, import, edit, remove, list, and the tree with its effect.")
Rate = Annotated[str | None, typer.Option("--rate", help="The referrer's part: 0.25 or 25%.")]
SHOWN = ("referrer", "referee", "rate_bps", "own_rate", "since", "until")


@app.command()
def add(
    referrer: str,
    referee: str,
    rate: Rate = None,
    only: Annotated[bool, typer.Option("--only-this-referee", help="The rate is for this referee alone.")] = False,
    from_block: FromBlock = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """REFERRER brought REFEREE and takes a part of what the referee earns."""
    ui = screen(as_json)
    bps = None if rate is None else _meant(ui, rate, yes)
    view = referrals.add(opened().engine, referrer, referee, bps, only_this_referee=only, from_block=from_block)
    ui.done(f"{view.referrer} takes {bps_text(view.rate_bps)} of what {view.referee} earns, from block {view.since}.")
    if as_json:
        ui.records(values([view], *SHOWN)[0])


@app.command("import")
def import_(file: Path, from_block: FromBlock = None, as_json: Json = False) -> None:
    """Add the referrals of FILE, all or nothing: columns referrer, referee, and rate where a referrer has none yet.

    FILE is CSV, .xlsx, .ods or .parquet.
    """
    from valtrac.people import referral_import

    ui = screen(as_json)
    done = referral_import.import_file(opened().engine, file, from_block=from_block)
    ui.done(f"{count(done.new, 'new referral')}, {done.known} known already.")
    if as_json:
        ui.records({"new": done.new, "known": done.known})


@app.command()
def edit(
    referrer: str,
    rate: Annotated[str, typer.Option("--rate", help="The new part: 0.25 or 25%.")],
    referee: Annotated[str | None, typer.Option("--referee", help="Of this referee alone.")] = None,
    from_block: FromBlock = None,
    yes: Yes = False,
) -> None:
    """Change what REFERRER takes."""
    ui = screen()
    bps = _meant(ui, rate, yes)
    changed = referrals.edit_rate(opened().engine, referrer, bps, referee=referee, from_block=from_block)
    ui.done(f"{referrer}: {count(len(changed), 'referral')} now at {bps_text(bps)}.")


@app.command()
def remove(referee: str, from_block: FromBlock = None) -> None:
    """REFEREE has no referrer any more."""
    view = referrals.remove(opened().engine, referee, from_block=from_block)
    screen().done(f"{view.referee} keeps everything, from block {view.until}.")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the referrals."""
    ui, listed = screen(as_json), referrals.list_referrals(opened().engine)
    if as_json:
        ui.records(values(listed, *SHOWN))
        return
    ui.table(
        "Referrals",
        ["referrer", "referee", "takes", "only of this one", "from block"],
        [
            [view.referrer, view.referee, bps_text(view.rate_bps), "yes" if view.own_rate else "", view.since]
            for view in listed
        ],
        empty="No referrals yet. Add one under Add referral, or: run.py referrals add REFERRER REFEREE --rate 0.25",
        optional=["from block"],
    )


@app.command()
def tree(as_json: Json = False) -> None:
    """Show the tree, and what becomes of 100 TAO that each person in it brings."""
    ui, rows = screen(as_json), referrals.tree_view(opened().engine)
    if as_json:
        ui.records(
            values(
                rows,
                "depth",
                "name",
                "referrer",
                "rate_bps",
                "keeps_units",
                "collects_units",
                "gives_units",
                "ends_with_units",
            )
        )
    else:
        show_tree(ui, rows)


def _meant(ui: Ui, rate: str, yes: bool) -> int:
    """A rate as basis points. Raises Refused where it is all of it and that was not meant."""
    bps = parse_bps(rate, field="rate")
    if bps == pick.ALL_BPS and not agree(ui, yes, pick.everything(rate)):
        raise Refused("the rate of 100 % was not meant", fix="write 1% or 0.01 for one hundredth")
    return bps
