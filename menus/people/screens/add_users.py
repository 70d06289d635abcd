"""Add users: from a file, by hand, or with all else that an old ValTrac left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from menus.frame import levels, pick
from menus.frame.layout import count
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Add users"
ORDER = 40
FILE, MANUAL, OLD = "1. Load users from CSV", "2. Manual entry", "3. Come over from an old ValTrac, with all its files"


def run(app: App, ui: Ui) -> None:
    ways = {FILE: _from_file, MANUAL: _by_hand, OLD: _from_an_old_one}
    levels.repeat(ui, "How?", lambda: list(ways), lambda chosen: ways[chosen](app, ui))


def _from_file(app: App, ui: Ui) -> None:
    from menus import same
    from menus.people.views import show_preview
    from valtrac.people import user_import, users

    ui.hint("The file's first line is Name,Address1,Address2,... The first address of each user is paid.")
    typed = ui.path("Path of the CSV file, or .xlsx, .ods, .parquet (empty to go back):")
    if not typed:
        return
    append, replace_all, replace = "Append: add to them", "Replace: the file is the whole user base", None
    if users.list_users(app.engine):
        replace = ui.choose("There are users already. What of them?", [append, replace_all])
        if replace is None:
            return
    path = Path(typed).expanduser()
    with ui.working("Reading"):
        preview = user_import.preview_import(app.engine, path, replace=replace == replace_all)
    show_preview(ui, preview)
    if not preview.changes:
        ui.done("Nothing to change: the file and the database agree.")
    elif ui.confirm("Save these users as shown?"):
        with ui.working("Storing"):
            user_import.apply_import(app.engine, preview)
        ui.done("Done. Next: Add referral, or Begin logging.")
    else:
        ui.done("Nothing was changed.")
        return
    same.tell(ui, "users import", file=path, replace=replace == replace_all, yes=True)


def _from_an_old_one(app: App, ui: Ui) -> None:
    from menus import same
    from menus.coming_over import views

    ui.hint("Its users, referrals, log of stakes and log of payouts are read where they lie; nothing of it is changed.")
    typed = ui.text("The folder that ValTrac was started in (empty to go back):")
    if not typed:
        return
    zone = ui.text("What that machine's clock showed, like UTC or Europe/Berlin:", default="UTC", check=views.zone_of)
    folder = Path(typed.strip("'\""))
    if views.bring_over(ui, app, folder, zone, agreed=lambda: ui.confirm("Save all of this here, as shown?")):
        same.tell(ui, "import valtrac", folder=folder, zone=zone, yes=True)


def _by_hand(app: App, ui: Ui) -> None:
    from menus import same
    from valtrac.people import users

    name = ui.text("Name (empty to go back):")
    if not name:
        return
    addresses: list[str] = []
    while address := pick.address(ui, f"Address {len(addresses) + 1}, the first is paid (empty when done):"):
        if address in addresses:
            ui.warn("That one is there already.")
        else:
            addresses.append(address)
    view = users.add(app.engine, name, addresses)
    ui.done(
        f"{view.name} takes part from block {view.since}, with {count(len(view.addresses), 'address')}"
        + ("." if addresses else "; without one, what it earns is held.")
    )
    same.tell(ui, "users add", name=name, addresses=addresses)
