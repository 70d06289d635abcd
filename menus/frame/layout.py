"""Which form a table takes on a terminal of some width: all columns, fewer, or a card for each row. Pure.

Amounts, addresses, blocks and times are never broken over lines; only prose is. What does not fit
loses its optional columns first; a table that fits no better is read as cards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

LEAST_PROSE = 16  # a column of sentences narrower than this cannot be read
ZEROS = ("", "0.000000000")
NUMBERS = ("block", "last block", "from block", "until", "netuid", "payees", "nominators", "addresses", "restarts")
PROSE = (
    "reason",
    "why",
    "words",
    "note",
    "particulars",
    "memo",
    "state",
    "what",
    "gives away",
    "what it asks for",
    "what it would ask for",
    "how far",
    "",
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. unit: shown under the name; right: numbers; prose: may be broken between words."""

    name: str
    unit: str
    right: bool
    prose: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """The form chosen: the places of the columns that are shown; cards: one row under the other."""

    places: tuple[int, ...]
    dropped: tuple[str, ...]
    cards: bool


def column(spec: str) -> Column:
    """The column of `amount (TAO)`: a unit makes it a number."""
    name, _, unit = spec.partition(" (")
    unit = unit.removesuffix(")")
    return Column(name, unit, bool(unit) or name in NUMBERS, name in PROSE)


def fitted(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    optional: Iterable[str] = (),
    wide: Callable[[str], int] = len,
) -> Layout:
    """The form that fits in `width` places.

    optional: the names that may be left out, with their units or without, the first to go last. One with nothing but
    zeros and blanks in it is left out on any terminal. wide: how many places a text takes.
    """
    names = tuple(column(spec).name for spec in optional)
    places = [
        place
        for place, shown in enumerate(columns)
        if shown.name not in names or any(row[place] not in ZEROS for row in rows)
    ]
    dropped: list[str] = []
    for name in reversed(names):
        if _needed(columns, rows, places, wide) <= width:
            break
        kept = [place for place in places if columns[place].name != name]
        if len(kept) < len(places):
            dropped.append(name)
            places = kept
    return Layout(tuple(places), tuple(reversed(dropped)), _needed(columns, rows, places, wide) > width)


def count(number: int, thing: str) -> str:
    """`1 address`, `2 addresses`."""
    return f"{number:,} {thing}{'' if number == 1 else 'es' if thing.endswith(('s', 'x', 'ch')) else 's'}"


def _needed(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], places: Sequence[int], wide: Callable[[str], int]
) -> int:
    """The places that a table of some columns takes at least, with two between columns."""
    return sum(_least(columns[place], [row[place] for row in rows], wide) for place in places) + 2 * (len(places) - 1)


def _least(shown: Column, cells: Sequence[str], wide: Callable[[str], int]) -> int:
    widest = max((wide(cell) for cell in cells), default=0)
    return max(wide(shown.name), wide(shown.unit), min(widest, LEAST_PROSE) if shown.prose else widest)
