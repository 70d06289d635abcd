"""`make map`: draw the rooms of the program and who imports whom, from the imports, into docs/pictures/house.svg.

An arrow is left out where a longer way already says it (menus know the core by way of everything else), so that the
picture shows the order of the rooms and not every line of import. The text beside each room says how many files it has.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.architecture import BUSINESSES, module_of, room_arrows, room_of, sources

PICTURE = Path(__file__).parent / "pictures" / "house.svg"
WIDTH, BOX, HEIGHT, STEP, TOP = 900, 124, 40, 92, 30
# what a box is filled and drawn with: the businesses that pay, the one door, everything else
COLOURS = {"business": ("#dcefe3", "#2f7d4f"), "door": ("#fde7c4", "#b36b00"), "other": ("#e8edf3", "#51637a")}


def levels(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The rooms by height: each lies above everything that it imports. The top first."""
    height: dict[str, int] = {}

    def of(room: str) -> int:
        if room not in height:
            height[room] = 1 + max((of(other) for other in arrows.get(room, ())), default=-1)
        return height[room]

    rooms = sorted(set(arrows) | {other for others in arrows.values() for other in others})
    return [[room for room in rooms if of(room) == level] for level in range(max(map(of, rooms)), -1, -1)]


def shortened(arrows: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The arrows that no longer way says already."""

    def reached(room: str, without: tuple[str, str]) -> set[str]:
        seen: set[str] = set()
        waiting = [room]
        while waiting:
            here = waiting.pop()
            for other in arrows.get(here, ()):
                if (here, other) != without and other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return seen

    pairs = [(room, other) for room, others in sorted(arrows.items()) for other in sorted(others)]
    return [(room, other) for room, other in pairs if other not in reached(room, (room, other))]


def drawn() -> str:
    """The picture as SVG; the same imports always give the same text."""
    arrows = room_arrows()
    rows = levels(arrows)
    places: dict[str, tuple[float, float]] = {}
    for row, rooms in enumerate(rows):
        gap = WIDTH / (len(rooms) + 1)
        for number, room in enumerate(rooms, 1):
            places[room] = (gap * number, TOP + STEP * row)
    files = Counter(room_of(module_of(path)) for path in sources())
    height = TOP + STEP * (len(rows) - 1) + HEIGHT + TOP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        "<title>The rooms of ValTrac and who imports whom</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8793a3"/></marker></defs>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    parts += [_arrow(places[room], places[other]) for room, other in shortened(arrows)]
    parts += [_box(room, *places[room], files[room]) for room in sorted(places)]
    return "\n".join([*parts, "</svg>", ""])


def _arrow(upper: tuple[float, float], lower: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = upper, lower
    y1 += HEIGHT
    bend = (y2 - y1) / 2
    return (
        f'<path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2 - 2:.0f}" '
        'fill="none" stroke="#8793a3" stroke-width="1.4" marker-end="url(#tip)"/>'
    )


def _box(room: str, x: float, y: float, files: int) -> str:
    kind = "door" if room == "payments" else "business" if room in BUSINESSES else "other"
    fill, line = COLOURS[kind]
    count = f"{files} file" if files == 1 else f"{files} files"
    return (
        f'<g><rect x="{x - BOX / 2:.0f}" y="{y:.0f}" width="{BOX}" height="{HEIGHT}" rx="6" fill="{fill}" '
        f'stroke="{line}" stroke-width="1.4"/>'
        f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle" font-size="15" fill="#1d2733">{escape(room)}</text>'
        f'<text x="{x:.0f}" y="{y + 33:.0f}" text-anchor="middle" font-size="11" fill="#51637a">{count}</text></g>'
    )


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
    print(f"drawn: {PICTURE.name}")
