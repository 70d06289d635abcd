"""Words in charts: names that people or chains wrote, numbers, and how wide they are in a terminal."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from wcwidth import wcwidth

from valtrac.core.text import plain

LEAST_WIDTH, MOST_WIDTH = 44, 110
NAME = 22  # columns of a name in a picture
BOLD, END = "\x1b[1m", "\x1b[0m"
NAMELESS = "(no name)"
_MARKS = ("Mn", "Me")
_ODD = (
    ("\U0001f1e6", "\U0001f1ff"),
    ("\U0001f3fb", "\U0001f3ff"),
)  # flags, skin tones: terminals differ in their width


def clean(name: object) -> str:
    """A name without anything that steers a screen or grows out of its line."""
    text, marks = "", 0
    for sign in plain(name):
        if unicodedata.category(sign) in _MARKS:
            marks += 1
            if marks > 2 or "\ufe00" <= sign <= "\ufe0f":
                continue
        else:
            marks = 0
        if "\ufdf0" <= sign <= "\ufdfd":  # one sign as wide as a sentence
            sign = "·"
        text += "▪" if any(low <= sign <= high for low, high in _ODD) else sign
    return text.strip() or NAMELESS


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes; colour codes take none."""
    bare = re.sub(r"\x1b\[\d+m", "", text)
    return sum(max(wcwidth(sign), 0) for sign in bare)


def short(name: object, most: int = NAME) -> str:
    """A name in at most so many columns: what is too long loses its middle, as an address does."""
    text = clean(name)
    if width_of(text) <= most:
        return text
    head = _begin(text, most - 1 - (most - 1) // 3)
    return head + "…" + _end(text, most - 1 - width_of(head))


def apart(name: str) -> str:
    """A name that figures may stand beside: one written from right to left does not take them into its order."""
    leftward = any(unicodedata.bidirectional(sign) in ("R", "AL", "AN") for sign in name)
    return f"\u200e{name}\u200e" if leftward else name


def cell(name: object, columns: int) -> str:
    """A name in exactly so many columns."""
    text = short(name, columns)
    return text + " " * (columns - width_of(text))


def column(names: Sequence[object], width: int) -> int:
    """How many columns a list of names gets in a drawing of that width: what they need, up to a third."""
    return min(max((width_of(clean(name)) for name in names), default=1), max(width // 3, 10))


def figure(value: float) -> str:
    """A number to read: thousands apart, two decimals, more only where it is small."""
    size = abs(value)
    if size >= 1e15:
        return f"{value:.2e}"
    if size >= 100_000:
        return f"{value:,.0f}"
    if size >= 0.1 or size < 1e-12:
        return f"{value + 0.0 if size >= 1e-12 else 0.0:,.2f}"
    return f"{value:.{min(1 - math.floor(math.log10(size)), 12)}f}"


def signed(value: float) -> str:
    """A change to read: always with its sign."""
    text = figure(value)
    return text if text == "0.00" else f"+{text}" if value > 0 else text.replace("-", "−")


def figure_text(value: float) -> str:
    """A number beside an axis: thousands apart, no more decimals than it has."""
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    text = f"{value:,.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def count(number: int, one: str, more: str = "") -> str:
    """So many of something: 1 day, 2 days."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def fitted(width: int) -> int:
    """The width a drawing takes in a terminal of that width: neither too narrow to read nor too wide to look at."""
    return min(max(width, LEAST_WIDTH), MOST_WIDTH)


def head(title: str, under: str, width: int) -> list[str]:
    """The first rows of a drawing: its title, and under it what it shows."""
    return [f"{BOLD}{title}{END}", *wrapped(under, width), ""]


def wrapped(text: str, width: int) -> list[str]:
    """A text in rows of at most so many columns."""
    rows = [""]
    for word in text.split(" "):
        word = short(word, width) if word else word
        if rows[-1] and width_of(rows[-1]) + 1 + width_of(word) > width:
            rows.append(word)
        else:
            rows[-1] = f"{rows[-1]} {word}" if rows[-1] else word
    return rows


def _begin(text: str, columns: int) -> str:
    """As much of the beginning as fits."""
    taken, used = "", 0
    for sign in text:
        used += width_of(sign)
        if used > columns:
            break
        taken += sign
    return taken.rstrip()


def _end(text: str, columns: int) -> str:
    """As much of the end as fits, beginning with a sign that stands by itself."""
    place, used = len(text), 0
    while place and used + width_of(text[place - 1]) <= columns:
        place -= 1
        used += width_of(text[place])
    while place < len(text) and unicodedata.category(text[place]) in _MARKS:
        place += 1
    return text[place:].lstrip()
