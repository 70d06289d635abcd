"""`run.py policy ...`: what is decided about a person or about everyone."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.frame import pick
from menus.frame.commands import FromBlock, Json, Yes, agree, opened, screen
from menus.frame.grouping import group
from menus.people import policy_views as views
from valtrac.people import policies
from valtrac.people.model.policies import KINDS

app = group("Policies: exclude, cut, redirect, minimum, stake limits, who bears the fee, where forfeits go.")
Whom = Annotated[str, typer.Argument(help="A user, an address of a nominator, or everyone.")]
Kind = Annotated[str, typer.Argument(help="; ".join(f"{kind.name}: {kind.what}" for kind in KINDS.values()))]


@app.command("set")
def set_(
    whom: Whom,
    kind: Kind,
    value: Annotated[str, typer.Argument(help="; ".join(f"{kind.name} {kind.example}" for kind in KINDS.values()))],
    words: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")] = "",
    from_block: FromBlock = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let a policy hold from a block on, in the place of the one before."""
    ui = screen(as_json)
    known = KINDS.get(kind)
    if known is not None and policies.is_everything(known, value) and not agree(ui, yes, pick.everything(value)):
        ui.say("Nothing was changed.")
        return
    made = policies.put(opened().engine, whom, kind, value, words=words, from_block=from_block)
    ui.done(f"{made.whom}: {made.kind.what}: {made.shown}, from block {made.from_block} on.")
    if not made.kind.at_end and from_block is None:
        ui.hint("What was recorded before that stays under the terms of before; --from-block sets another block.")
    if as_json:
        views.policies(ui, [made])


@app.command()
def end(whom: Whom, kind: Kind, from_block: FromBlock = None, as_json: Json = False) -> None:
    """Let a policy hold no more from a block on."""
    ui, block = screen(as_json), policies.end(opened().engine, whom, kind, from_block=from_block)
    ui.done(f"It ends at block {block}.")
    if as_json:
        ui.records({"whom": whom, "policy": kind, "until_block": block})


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Also those that hold no more.")] = False,
    as_json: Json = False,
) -> None:
    """List the policies."""
    views.policies(screen(as_json), policies.listed(opened().engine, ended=ended))
