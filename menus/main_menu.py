"""The main menu: ValTrac's eight entries, groups with all others, and above them how things stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from menus import groups
from menus.frame.palette import Action
from menus.frame.ui import Back, Elsewhere, Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

EXIT = "Exit"
ABOUT = (
    "The main menu. Above it stands where you are, what there is, and what is best done next. The first eight entries "
    "are ValTrac's; all others stand in the groups after them, and a part of their words, typed here, goes straight to "
    "them. Nothing is sent or changed by looking."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be chosen. menus: what it leads to; several for a group."""

    label: str
    menus: tuple[ModuleType, ...]


def entries(menus: Sequence[ModuleType]) -> list[Entry]:
    """What is shown, numbered, in its order."""
    by_name = dict[str, list[ModuleType]]()
    for menu in menus:
        by_name.setdefault(getattr(menu, "GROUP", menu.TITLE), []).append(menu)
    return [Entry(f"{place}. {name}", tuple(behind)) for place, (name, behind) in enumerate(by_name.items(), 1)]


def asked(app: App, ui: Ui, menus: Sequence[ModuleType]) -> Action | None:
    """What the owner wants to do next: an entry, or anything in the palette; None: to leave."""
    from menus.frame.first_screen import Standing, greet
    from menus.frame.levels import attempt

    attempt(ui, lambda: greet(app, ui))
    standing = Standing(app.settings)
    shown = entries(menus)
    inside = [Entry(menu.TITLE, (menu,)) for entry in shown if len(entry.menus) > 1 for menu in entry.menus]
    try:
        while True:
            ui.about = ABOUT
            chosen = ui.choose(
                "What would you like to do?",
                [*shown, *inside],
                label=lambda entry: entry.label,
                back=f"{len(shown) + 1}. {EXIT}",
                gap_before=next((entry for entry in shown if len(entry.menus) > 1), None),
                at_once=True,
                hidden=inside,
                above=standing.rows,
            )
            if chosen is None:
                return None
            menu = chosen.menus[0] if len(chosen.menus) == 1 else _in_group(ui, chosen)
            if menu is not None:
                return Action(menu.TITLE)
    except Elsewhere as wanted:
        return wanted.action
    except Back:
        return None


def _in_group(ui: Ui, entry: Entry) -> ModuleType | None:
    """Which menu of a group; None for back."""
    group = str(entry.menus[0].GROUP)
    ui.about = groups.EXPLAINED[group]
    try:
        return ui.choose(group, entry.menus, label=lambda menu: str(menu.TITLE), at_once=True)
    except Elsewhere:
        raise
    except Back:
        return None
