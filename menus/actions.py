"""Every action of the menus, found in the screens themselves: what a screen offers is a constant of its file."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType

from menus.frame.palette import Action

NAMES = "other_names"


def known(menus: Sequence[ModuleType]) -> Iterator[Action]:
    """The entries of the main menu, and what can be chosen in each of them."""
    for menu in menus:
        also = other_names(menu)
        yield Action(menu.TITLE, (), also.get(menu.TITLE, ""))
        under: Mapping[str, str] = getattr(menu, "UNDER", {})
        for title in titles_of(menu):
            path = (under[title], title) if title in under else (title,)
            yield Action(menu.TITLE, path, also.get(title, ""))
        for path in getattr(menu, "further", tuple)():
            yield Action(menu.TITLE, tuple(path), also.get(path[-1], ""))


def titles_of(menu: ModuleType) -> list[str]:
    """What a screen offers: every text among the constants of its file but its own title and what it stands under."""
    return [
        value
        for name, value in vars(menu).items()
        if name.isupper() and isinstance(value, str) and name not in ("TITLE", "GROUP")
    ]


def other_names(menu: ModuleType) -> Mapping[str, str]:
    """title -> other words for it, as the folder of the business has them; {} where it has none."""
    name = f"{menu.__name__.rpartition('.screens.')[0]}.{NAMES}"
    if importlib.util.find_spec(name) is None:
        return {}
    names: Mapping[str, str] = importlib.import_module(name).ALSO
    return names
