"""`run.py users ...`: people and their addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import FromBlock, Json, Yes, agree, opened, screen
from menus.frame.grouping import group
from menus.frame.layout import count
from menus.frame.values import values
from menus.people.views import SHOWN, show, show_preview
from valtrac.core.errors import BadInput, Exit
from valtrac.people import user_import, users

app = group("People: load from a file, add, edit, end, list, export.")
Replace = Annotated[bool, typer.Option("--replace", help="The file is the whole user base; who is missing ends.")]


@app.command("import")
def import_(file: Path, replace: Replace = False, yes: Yes = False, as_json: Json = False) -> int:
    """Load users from FILE (Name,Address1,Address2,...): shows what will change, then asks.

    FILE is CSV, .xlsx, .ods or .parquet, or ValTrac's user_data.json.
    """
    ui, valtrac = screen(as_json), opened()
    preview = user_import.preview_import(valtrac.engine, file, replace=replace)
    show_preview(ui, preview)
    if not preview.changes:
        ui.done("Nothing to change: the file and the database agree.")
    elif agree(ui, yes, "Change this?"):
        preview = user_import.apply_import(valtrac.engine, preview)
        ui.done(
            f"Imported: {count(len(preview.new_users), 'new user')}, {len(preview.ended_users)} ended, "
            f"{preview.unchanged} unchanged."
        )
    else:
        ui.say("Nothing was changed.")
        return int(Exit.REFUSED)
    if as_json:
        ui.records(
            {
                "new": [user.name for user in preview.new_users],
                "ended": [end.name for end in preview.ended_users],
                "unchanged": preview.unchanged,
                **({"paid_elsewhere": _elsewhere(preview)} if preview.kept_payouts else {}),
            }
        )
    return 0


@app.command()
def add(
    name: str,
    addresses: Annotated[list[str] | None, typer.Argument(help="The first is paid.")] = None,
    from_block: FromBlock = None,
    as_json: Json = False,
) -> None:
    """Add a user with any number of addresses."""
    view = users.add(opened().engine, name, addresses or [], from_block=from_block)
    ui = screen(as_json)
    ui.done(f"{view.name} takes part from block {view.since}, with {count(len(view.addresses), 'address')}.")
    if as_json:
        ui.records(values([view], *SHOWN)[0])


@app.command()
def edit(
    name: str,
    add_address: Annotated[str | None, typer.Option(help="An address that the user has too.")] = None,
    end_address: Annotated[str | None, typer.Option(help="An address that the user has no longer.")] = None,
    payout: Annotated[str | None, typer.Option(help="The address that is paid from now on.")] = None,
    order: Annotated[str | None, typer.Option(help="All addresses in a new order, with commas.")] = None,
    rename: Annotated[str | None, typer.Option(help="A new name for the same person.")] = None,
    from_block: FromBlock = None,
    as_json: Json = False,
) -> None:
    """Change one thing about a user."""
    given = [option for option in (add_address, end_address, payout, order, rename) if option is not None]
    if len(given) != 1:
        raise BadInput("name one change at a time", fix="see: run.py users edit --help")
    engine = opened().engine
    if add_address is not None:
        view = users.add_address(engine, name, add_address, from_block=from_block)
    elif end_address is not None:
        view = users.end_address(engine, name, end_address, from_block=from_block)
    elif payout is not None:
        view = users.set_payout(engine, name, payout, from_block=from_block)
    elif order is not None:
        view = users.reorder(engine, name, [address.strip() for address in order.split(",")])
    else:
        if from_block is not None:
            raise BadInput("a new name has no first block", why="it is the same person", fix="leave --from-block away")
        view = users.rename(engine, name, rename or "")
    ui = screen(as_json)
    ui.done(f"{view.name}: {count(len(view.addresses), 'address')}, paid at {view.payout or 'none yet'}.")
    since = users.payout_since(engine, view.name)
    if (payout or end_address) and since:
        ui.warn(
            f"That address holds from block {since} on (--from-block sets another). A payment that was drafted or "
            "approved for the one before waits at signing; so does the first to a changed one: run.py users waiting"
        )
    if as_json:
        ui.records(values([view], *SHOWN)[0])


@app.command()
def end(name: str, from_block: FromBlock = None, yes: Yes = False) -> int:
    """End a user: what was earned before stays owed; nothing is removed."""
    ui = screen()
    if not agree(ui, yes, f"End {name}?"):
        ui.say("Nothing was changed.")
        return int(Exit.REFUSED)
    ui.done(f"{users.end(opened().engine, name, from_block=from_block)}.")
    return int(Exit.DONE)


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="Also those who take no part any more.")] = False,
    as_json: Json = False,
) -> None:
    """List the users."""
    show(screen(as_json), users.list_users(opened().engine, ended=ended))


@app.command()
def export(file: Path) -> None:
    """Write the users to FILE (.csv, .xlsx, .parquet or .json); import reads all but the last."""
    ui, count = screen(), users.export(opened().engine, file)
    ui.done(f"{count} users written to {file}.")


@app.command()
def waiting(as_json: Json = False) -> None:
    """List the addresses to which nothing is paid yet: changed lately, or about to change hands on chain."""
    from menus.people import policy_views
    from valtrac.people import destinations

    valtrac = opened()
    policy_views.waiting(screen(as_json), destinations.waiting(valtrac.engine, valtrac.settings.quarantine))


@app.command()
def confirm(
    name: str,
    last_six: Annotated[str, typer.Option("--last-six", help="The last six characters of the address.")],
    as_json: Json = False,
) -> None:
    """Vouch for an address that waits, so that it is paid at once."""
    from valtrac.people import destinations

    ui, valtrac = screen(as_json), opened()
    address = destinations.confirm(valtrac.engine, valtrac.settings.quarantine, name, last_six)
    ui.done(f"{name} is paid at {address}.")
    if as_json:
        ui.records({"name": name, "address": address})


def _elsewhere(preview: user_import.ImportPreview) -> list[dict[str, str]]:
    """Who goes on being paid elsewhere than where the file begins."""
    return [{"user": kept.user, "paid": kept.paid, "first": kept.first} for kept in preview.kept_payouts]
