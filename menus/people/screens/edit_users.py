"""Edit users: addresses, the one that is paid, the name, and the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame import levels, pick
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.people.users import UserView
    from valtrac.wiring.payouts import App

TITLE = "Edit users"
ORDER = 50
ADD, END_ADDRESS, PAID, RENAME, END = (
    "Add an address",
    "End an address",
    "Choose the address that is paid",
    "Rename",
    "End this user",
)


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.people.views import show
    from valtrac.people import users

    while listed := users.list_users(app.engine):
        show(ui, listed)
        same.once(ui, "users list")
        name = pick.one_of(ui, "Which user?", [view.name for view in listed])
        if name is None:
            return
        levels.attempt(ui, lambda who=name: _one(app, ui, who))  # type: ignore[misc]
    show(ui, listed)


def _one(app: App, ui: Ui, name: str) -> None:
    """One user, until the owner goes back to the others."""
    from valtrac.people import users

    def actions() -> list[str]:
        view = users.get(app.engine, name)
        ui.table(
            view.name,
            ["address", "paid"],
            [[address, "yes" if address == view.payout else ""] for address in view.addresses],
            empty=f"{view.name} has no address yet; what it earns is held.",
        )
        return [ADD, *([END_ADDRESS, PAID] if view.addresses else []), RENAME, END]

    def act(chosen: str) -> object:
        nonlocal name
        view = users.get(app.engine, name)
        if chosen == RENAME:
            name = _rename(app, ui, view)
            return None
        if chosen == END:
            return _end(app, ui, view)
        _address(app, ui, view, chosen)
        return None

    levels.repeat(ui, "What?", actions, act, back="Another user")


def _address(app: App, ui: Ui, view: UserView, chosen: str) -> None:
    from menus import same
    from valtrac.people import users

    if chosen == ADD:
        if address := pick.address(ui, "The new address (empty to go back):"):
            users.add_address(app.engine, view.name, address)
            ui.done("Added.")
            same.tell(ui, "users edit", name=view.name, add_address=address)
        return
    chosen_address = ui.choose("Which one?", view.addresses)
    if chosen_address is None:
        return
    if chosen == PAID:
        users.set_payout(app.engine, view.name, chosen_address)
        since = users.payout_since(app.engine, view.name)
        ui.done(f"It holds from block {since} on.")
        ui.warn(
            "A payment drafted or approved for the one before waits at signing; so does the first to a changed one, "
            "unless you confirm it under Policies and waiting addresses."
        )
        same.tell(ui, "users edit", name=view.name, payout=chosen_address)
    elif ui.confirm("End this address? What was earned with it stays owed."):
        users.end_address(app.engine, view.name, chosen_address)
        ui.done("Ended.")
        same.tell(ui, "users edit", name=view.name, end_address=chosen_address)


def _rename(app: App, ui: Ui, view: UserView) -> str:
    from menus import same
    from valtrac.people import users

    new = ui.text("The new name:", default=view.name)
    if not new or new == view.name:
        return view.name
    renamed = users.rename(app.engine, view.name, new).name
    ui.done(f"It is called {renamed} now.")
    same.tell(ui, "users edit", name=view.name, rename=new)
    return renamed


def _end(app: App, ui: Ui, view: UserView) -> object:
    from menus import same
    from valtrac.people import users

    if not ui.confirm(f"End {view.name}? What was earned stays owed; nothing is removed."):
        return None
    ui.done(f"{users.end(app.engine, view.name)}.")
    same.tell(ui, "users end", name=view.name, yes=True)
    return levels.ENDED
