"""The menus: finds them and goes round. What goes wrong in one meets the owner in `frame.levels.attempt`."""

from __future__ import annotations

import functools
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from menus import actions, main_menu
from menus.frame.palette import Action
from menus.frame.remembered import Remembered
from menus.frame.ui import Elsewhere, Ui
from menus.glossary import TERMS

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

HEADING = 8  # rows above the main menu


def found() -> list[ModuleType]:
    """The menus in their order: every file in a folder `screens`, with TITLE, ORDER and run(app, ui).

    Their titles are read when the first screen is drawn, so none of them imports anything heavy at its top.
    """
    here = Path(__file__).parent
    files = [path for path in here.glob("*/screens/*.py") if path.stem != "__init__"]
    names = [".".join(path.relative_to(here.parent).with_suffix("").parts) for path in files]
    return sorted((importlib.import_module(name) for name in names), key=lambda menu: (menu.ORDER, menu.__name__))


def loop(ui: Ui) -> int:
    """The main menu, until the owner leaves."""
    from menus.frame.levels import attempt
    from menus.frame.second_node import ask_for_second_node
    from valtrac.core.errors import BadInput
    from valtrac.settings import load
    from valtrac.wiring.payouts import App

    if not ui.can_ask:
        raise BadInput("the menus need a terminal", fix="use a command instead: run.py --help")
    app = App(load())

    def answered() -> bool:
        return ask_for_second_node(ui, "VALTRAC_SECOND_ENDPOINT", "Bittensor", app)

    if app.settings.asks_for_second_node and attempt(ui, answered):
        app.close()
        app = App(load())
    menus = found()
    ui.glossary = TERMS
    ui.remembered = Remembered(app.settings.data / "last-choices.json")
    ui.actions = functools.cache(lambda: tuple(actions.known(menus)))
    try:
        while (wanted := main_menu.asked(app, ui, menus)) is not None:
            while wanted is not None:
                wanted = go_to(app, ui, menus, wanted)
            ui.let_read(len(main_menu.entries(menus)) + HEADING)
        ui.say("Goodbye.")
        return 0
    finally:
        app.close()


def go_to(app: App, ui: Ui, menus: list[ModuleType], action: Action) -> Action | None:
    """Do an action; another one that was chosen in the palette meanwhile."""
    menu = next(menu for menu in menus if action.menu == menu.TITLE)
    ui.head_for(action, actions.titles_of(menu))
    ui.about = inspect.cleandoc(menu.__doc__ or "")
    try:
        enter(app, ui, menu)
    except Elsewhere as wanted:
        return wanted.action
    finally:
        ui.head_for(Action(action.menu), ())
    return None


def enter(app: App, ui: Ui, menu: ModuleType) -> None:
    """Run one menu; whatever goes wrong is told and leads back to the main menu."""
    from menus.frame.levels import attempt

    ui.title(menu.TITLE)
    attempt(ui, lambda: menu.run(app, ui))
