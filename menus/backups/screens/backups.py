"""Backups: copies of every database and list of payments, made every few hours and before payouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

TITLE = "Backups"
ORDER = 105
GROUP = groups.MACHINE
NOW, VERIFY, RESTORE, COMPARE, LOST, KEY = (
    "Make a backup now",
    "Read the newest back and audit it",
    "Restore one, in the place of what is here",
    "Compare what was restored with the chain",
    "Count payouts that it has lost as paid",
    "Make keys for sealed backups",
)


def run(app: App, ui: Ui) -> None:
    from menus.backups import views

    views.show(ui, app.settings)
    acts = {NOW: _now, VERIFY: _verify, RESTORE: _restore, COMPARE: _compare, LOST: _lost, KEY: _new_key}
    levels.repeat(ui, "What?", lambda: list(acts), lambda chosen: acts[chosen](app, ui))


def _now(app: App, ui: Ui) -> None:
    from menus import same
    from menus.backups import views

    views.make(ui, app.settings)
    same.tell(ui, "backup now")


def _verify(app: App, ui: Ui) -> None:
    from menus import same
    from menus.backups import views

    path = views.chosen(app.settings, None)
    secret = _secret(ui, path.name)
    views.verify(ui, path, secret)
    same.tell(ui, "backup verify", name=path.name, secret_stdin=bool(secret))


def _compare(app: App, ui: Ui) -> None:
    from menus import same
    from menus.backups import views

    views.compare(ui, app.settings)
    same.tell(ui, "backup compare")


def _lost(app: App, ui: Ui) -> None:
    from menus import same
    from menus.frame import pick
    from menus.payouts.foreign import take_over
    from valtrac.coming_over.lost_payouts import NotListed

    hotkey, block, words = pick.hotkey(app, ui), None, ""
    try:
        take_over(app, ui, hotkey)
    except NotListed as unlisted:
        ui.warn(f"{unlisted.what[0].upper()}{unlisted.what[1:]}: {unlisted.why}.")
        block = pick.block(ui, "If it was a payout, the last block that it paid for:", None)
        words = ui.text("How do you know? It is kept for ever:")
        take_over(app, ui, hotkey, to_block=block, words=words)
    same.tell(ui, "payout lost", to=block, words=words, hotkey=pick.if_several(app, hotkey))


def _new_key(app: App, ui: Ui) -> None:
    from menus import same
    from menus.backups import views

    views.new_key(ui)
    same.tell(ui, "backup new-key")


def _restore(app: App, ui: Ui) -> None:
    from menus import same
    from menus.backups import views
    from valtrac.backups.making import listed

    here = listed(app.settings.backups)
    if not here:
        ui.done("There is no backup yet: make one first.")
        return
    name = ui.find("Which one?", [str(name) for name, _ in here])
    path = views.chosen(app.settings, name)
    secret = _secret(ui, path.name)
    ui.hint(f"What is here is moved aside, and {views.ENDS_AS}.")
    if not ui.confirm(f"Put {path.name} in the place of what is here?"):
        ui.done("Nothing was changed.")
        return
    app.close()
    views.restore(ui, app.settings, path, secret)
    same.tell(ui, "backup restore", name=path.name, secret_stdin=bool(secret), yes=True)


def _secret(ui: Ui, name: str) -> str:
    return ui.password("Its secret key:") if name.endswith(".sealed") else ""
