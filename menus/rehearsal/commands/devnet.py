"""`run.py devnet ...`: the embedded rehearsal chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import Json, opened, screen
from menus.frame.grouping import group
from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.devnet import bittensor as devnet
from valtrac.rehearsal.payouts import EXAMPLE
from valtrac.wiring.payouts import App

app = group("The embedded rehearsal chain: seed, advance, misbehave, announce-swap, status.")


@app.command()
def seed(
    file: Annotated[Path, typer.Argument(help="A few lines of TOML.")] = EXAMPLE,
    force: Annotated[
        bool, typer.Option("--force", help="Throw the present chain away; its ledger is kept beside.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the rehearsal chain from a TOML file."""
    valtrac, ui = _rehearsing(opened()), screen(as_json)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{plain(file)} cannot be read", why=plain(error), fix="name a TOML file like data/examples/devnet.toml"
        ) from error
    from valtrac.rehearsal import payouts

    genesis, aside = payouts.begin(valtrac.settings, text, force=force)
    if aside is not None:
        ui.say(f"The ledger of the chain before is kept: {aside}")
    ui.done(f"The rehearsal chain begins (genesis {genesis[:12]}...). Let time pass: run.py devnet advance 300")
    if as_json:
        ui.records({"genesis": genesis})


@app.command()
def advance(blocks: Annotated[int, typer.Argument(min=1, max=1_000_000)] = 1, as_json: Json = False) -> None:
    """Produce blocks now."""
    valtrac, ui = _rehearsing(opened()), screen(as_json)
    height = devnet.advance(_seeded(valtrac), blocks)
    ui.done(f"The chain is at block {height}.")
    if as_json:
        ui.records({"number": height})


@app.command()
def misbehave(faults: Annotated[list[str], typer.Argument(help="fault=value ..., or clear")]) -> None:
    """Make the chain misbehave: lose_reply=1, lose_request=1, down=3, slow=0.5, fork=2, evict,
    justifications=forged, change_authorities=2, clear ..."""
    valtrac = _rehearsing(opened())
    devnet.misbehave(_seeded(valtrac), **dict(_fault(text) for text in faults))
    screen().done("Set." if "clear" not in faults else "The chain behaves.")


@app.command()
def announce_swap(
    address: Annotated[str, typer.Argument(help="The coldkey.")],
    cancel: Annotated[bool, typer.Option("--cancel", help="Take the announcement back.")] = False,
    as_json: Json = False,
) -> None:
    """Announce a coldkey swap of an address, as its owner would."""
    valtrac, ui = _rehearsing(opened()), screen(as_json)
    number = devnet.announce_swap(_seeded(valtrac), address, cancel=cancel)
    what = "taken back" if cancel else "announced"
    ui.done(f"The swap of {address} is {what} from block {number} on. Let it come: run.py devnet advance 5")
    if as_json:
        ui.records({"address": address, "announced": not cancel, "number": number})


@app.command()
def status(as_json: Json = False) -> None:
    """Show where the rehearsal chain stands."""
    valtrac, ui = _rehearsing(opened()), screen(as_json)
    told = devnet.status(_seeded(valtrac))
    if as_json:
        ui.records(told)
        return
    ui.table("Rehearsal chain", ["what", "value"], [[name, value] for name, value in told.items()])


def _fault(text: str) -> tuple[str, bool | int | float | str]:
    name, _, value = text.partition("=")
    if not value:
        return name.strip(), True
    if name.strip() == "justifications":
        return name.strip(), value.strip()
    try:
        return name.strip(), float(value) if "." in value else int(value)
    except ValueError as error:
        raise BadInput(
            f"{plain(name, 40)}: {plain(value, 40)!r} is no number", fix="write for example lose_reply=1"
        ) from error


def _rehearsing(valtrac: App) -> App:
    if valtrac.settings.network != "devnet":
        raise Refused(
            f"the network is {valtrac.settings.network}, not the rehearsal chain", fix="set VALTRAC_NETWORK=devnet"
        )
    return valtrac


def _seeded(valtrac: App) -> Path:
    if not valtrac.settings.devnet_file.exists():
        raise BadInput("the rehearsal chain has no first block yet", fix="make it: run.py devnet seed")
    return valtrac.settings.devnet_file
