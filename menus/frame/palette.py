"""The palette: every action of the product by a few letters of its words, of other names for it, or of its menu's.

Which actions fit what was typed is pure; drawing the list is the chooser's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

WORD = re.compile(r"[^\W_]+")
QUESTION = "What are you looking for?"
MOST_SHOWN = 15


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done. menu: the entry of the main menu that leads there; path: what is chosen in it, one
    after the other; also: other words by which people know it."""

    menu: str
    path: tuple[str, ...] = ()
    also: str = ""

    @property
    def title(self) -> str:
        """What it is called where it stands."""
        return self.path[-1] if self.path else self.menu

    @property
    def label(self) -> str:
        """What it is called in the palette: first what it does, then where it stands."""
        return f"{self.title} · {self.menu}" if self.path else self.title


def fitting(actions: Sequence[Action], typed: str) -> list[tuple[int, int]]:
    """(how well, which) of the actions that fit what was typed, the best first; 0 is the best.

    The whole title goes before its beginning, that before another name, that before the beginning of one of its words
    or of another name, that before the beginnings of several words in their order (`stco`: Stake contracts), and that
    before letters inside.
    """
    wanted = typed.casefold().strip()
    found = [(rank, place) for place, action in enumerate(actions) if (rank := _rank(action, wanted)) is not None]
    return sorted(found, key=lambda each: (each[0], len(actions[each[1]].path), len(actions[each[1]].title), each[1]))


def _rank(action: Action, wanted: str) -> int | None:
    title, also, menu = (text.casefold() for text in (action.title, action.also, action.menu))
    own, others, where = _words(title), _words(also), _words(menu) if action.path else ()
    if wanted == title:
        return 0
    if title.startswith(wanted):
        return 1
    if wanted in others:
        return 2
    if any(word.startswith(wanted) for word in own):
        return 3
    if any(word.startswith(wanted) for word in others):
        return 4
    if joined(wanted, own):
        return 5
    if joined(wanted, (*where, *own)) or _each(wanted, (*own, *others, *where)):
        return 6
    return 7 if wanted in f"{title} {also} {menu}" else None


@lru_cache(maxsize=1000)
def _words(text: str) -> tuple[str, ...]:
    return tuple(WORD.findall(text))


def _each(wanted: str, words: Sequence[str]) -> bool:
    """Whether each of several typed words begins some word."""
    parts = wanted.split()
    return len(parts) > 1 and all(any(word.startswith(part) for word in words) for part in parts)


def joined(wanted: str, words: Sequence[str]) -> bool:
    """Whether what was typed is made of the beginnings of words in their order, some of which may be left out."""
    if not wanted:
        return True
    for place, word in enumerate(words):
        most = next((n for n in range(min(len(word), len(wanted)), 0, -1) if word.startswith(wanted[:n])), 0)
        if any(joined(wanted[size:], words[place + 1 :]) for size in range(most, 0, -1)):
            return True
    return False
