"""The menus: finds them and goes round. What goes wrong in one meets the owner in `levels.attempt`."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import TYPE_CHECKING

from menus.ui import Back, Ui

if TYPE_CHECKING:
    from valtrac.app import App

EXIT = "Exit"
# Every menu is one file here with TITLE, ORDER and run(app, ui). Their titles are read when the
# first screen is drawn, so none of them imports anything heavy at its top.
HELPERS = (
    "ui",
    "layout",
    "levels",
    "payout_views",
    "payout_records",
    "payout_flow",
    "policy_views",
    "ledger_views",
    "stats_views",
    "what_if_views",
    "contract_views",
    "contract_records",
    "contract_flow",
    "contract_acts",
    "drawing",
    "pick",
    "commands",
    "first_screen",
)


def found() -> list[ModuleType]:
    """The menus in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name not in HELPERS]
    return sorted((importlib.import_module(f"menus.{name}") for name in names), key=lambda menu: menu.ORDER)


def loop(ui: Ui) -> int:
    """The main menu, until the owner leaves."""
    from menus.first_screen import greet
    from menus.levels import attempt
    from valtrac.app import App
    from valtrac.config import load
    from valtrac.errors import BadInput

    if not ui.can_ask:
        raise BadInput("the menus need a terminal", "", "use a command instead: run.py --help")
    app = App(load())
    menus = found()
    titles = {f"{place}. {menu.TITLE}": menu for place, menu in enumerate(menus, 1)}
    try:
        while True:
            attempt(ui, lambda: greet(app, ui))
            try:
                chosen = ui.choose("What would you like to do?", list(titles), back=f"{len(titles) + 1}. {EXIT}")
            except Back:
                chosen = None
            if chosen is None:
                ui.say("Goodbye.")
                return 0
            enter(app, ui, titles[chosen])
    finally:
        app.close()


def enter(app: App, ui: Ui, menu: ModuleType) -> None:
    """Run one menu; whatever goes wrong is told and leads back to the main menu."""
    from menus.levels import attempt

    ui.title(menu.TITLE)
    attempt(ui, lambda: menu.run(app, ui))
