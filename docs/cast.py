"""Screens of a terminal, one after the other, drawn as one SVG that plays by itself and loads nothing.

Where nothing moves (on paper, or where the reader asked for less motion) the last screen stands still.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.sax.saxutils import escape

COLUMNS, LINES = 80, 24
WIDE, HIGH, SIZE, MARGIN, BAR = 8.4, 18, 14, 12, 26
PAPER, INK, FAINT = "#12181f", "#d8dee6", "#7b8794"
COLOURS = {
    "default": INK,
    "black": FAINT,
    "red": "#ff8f8f",
    "green": "#7fd6a0",
    "brown": "#e8c068",
    "yellow": "#e8c068",
    "blue": "#8ab4ff",
    "magenta": "#d9a0ee",
    "cyan": "#7fd0dc",
    "white": INK,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One place on the screen. ink, ground: a name of a colour, or six hex digits; "default" is the terminal's own."""

    text: str = " "
    ink: str = "default"
    ground: str = "default"
    bold: bool = False
    reverse: bool = False
    underlined: bool = False

    @property
    def style(self) -> tuple[str, str, bool, bool]:
        """(ink, ground, bold, underlined) as they are drawn; no ground is ""."""
        ink, ground = _colour(self.ink, INK), _colour(self.ground, "")
        if self.reverse:
            ink, ground = ground or PAPER, ink
        return ink, ground, self.bold, self.underlined


Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Frame:
    """What the screen showed, and for how long. rows: at most LINES, of at most COLUMNS cells each."""

    rows: tuple[Row, ...]
    seconds: float


def drawn(title: str, frames: Sequence[Frame]) -> str:
    """The frames as SVG; the same frames always give the same text. title: for who cannot see it."""
    lines = max(len(frame.rows) for frame in frames)
    width, height = COLUMNS * WIDE + 2 * MARGIN, lines * HIGH + BAR + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,\'DejaVu Sans Mono\',monospace" font-size="{SIZE}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_style(frames)}</style>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{PAPER}"/>',
        *(f'<circle cx="{18 + 16 * place}" cy="15" r="5" fill="#3a4653"/>' for place in range(3)),
    ]
    for number, frame in enumerate(frames):
        body = "".join(_row(row, place) for place, row in enumerate(frame.rows))
        parts.append(f'<g class="f f{number}">{body}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _style(frames: Sequence[Frame]) -> str:
    """Each frame is seen in its own part of the whole time, again and again."""
    total, begun, last = sum(frame.seconds for frame in frames), 0.0, len(frames) - 1
    rules = [
        "text{white-space:pre}.b{font-weight:700}.u{text-decoration:underline}",
        f".f{{visibility:hidden;animation:{total:g}s steps(1,end) infinite}}.f{last}{{visibility:visible}}",
    ]
    for number, frame in enumerate(frames):
        start, end = 100 * begun / total, 100 * (begun + frame.seconds) / total
        before = "0%{visibility:hidden}" if number else ""
        after = "" if number == last else f"{end:.3f}%,100%{{visibility:hidden}}"
        shown = f"{before}{start:.3f}%{{visibility:visible}}{after}"
        rules.append(f"@keyframes k{number}{{{shown}}}.f{number}{{animation-name:k{number}}}")
        begun += frame.seconds
    rules.append(f"@media(prefers-reduced-motion:reduce){{.f{{animation:none}}.f{last}{{visibility:visible}}}}")
    rules.append(f"@media print{{.f{{animation:none}}.f{last}{{visibility:visible}}}}")
    return "".join(rules)


def _row(row: Row, place: int) -> str:
    top = BAR + MARGIN + place * HIGH
    parts = []
    for start, text, (ink, ground, bold, underlined) in _runs(row):
        x, width = MARGIN + start * WIDE, len(text) * WIDE
        if ground:
            parts.append(f'<rect x="{x:g}" y="{top}" width="{width:g}" height="{HIGH}" fill="{ground}"/>')
        if text.strip():
            kind = " ".join([*(["b"] if bold else []), *(["u"] if underlined else [])])
            named = f' class="{kind}"' if kind else ""
            parts.append(
                f'<text x="{x:g}" y="{top + 14}" textLength="{width:g}" fill="{ink}"{named}>{escape(text)}</text>'
            )
    return "".join(parts)


def _runs(row: Row) -> Iterator[tuple[int, str, tuple[str, str, bool, bool]]]:
    """(first column, text, style) of each stretch of one style, without the blanks around it that nobody sees."""
    start = 0
    for style, cells in groupby(row, key=lambda cell: cell.style):
        text = "".join(cell.text for cell in cells)
        left = len(text) - len(text.lstrip())
        if style[1]:
            yield start, text, style
        elif text.strip():
            yield start + left, text.strip(), style
        start += len(text)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    plain = name.removeprefix("bright")
    return COLOURS.get(plain) or f"#{name}"
