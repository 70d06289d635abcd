"""Picking one entry of a list with the keyboard: arrows, a part of its words, and a way back that is always said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.layout import HSplit
    from prompt_toolkit.styles import BaseStyle

KEYS = "Arrows, Enter · type: search · Esc: back · /: go · ?: help"
SHORT_KEYS = "Arrows, Enter · type: search · Esc: back · ?: help"
ALL_KEYS = (
    "Up and Down   move; Enter takes the entry with the arrow",
    "letters       show only the entries that hold them; Backspace takes one back",
    "a number      goes to the entry with that number",
    "Esc, Ctrl-C   go back one menu and do nothing; after letters Esc forgets them first",
    "/ or Ctrl-P   goes to anything that can be done here, by a few letters of it",
    "?             explains the screen that you are on",
)
LEAVING = ("back", "exit", "quit")
NONE, HELP, PALETTE = -1, -2, -3  # no entry; what is asked for instead of one
LOOK_AGAIN_S = 5.0
ROUND_THE_LIST = 3  # rows: the question above it, the keys below it and the line before them


def ranked(titles: Sequence[str], typed: str, back: int) -> list[tuple[int, int]]:
    """(how well, which) of the entries that fit what was typed, in their order; 0 is the best.

    The number or the whole words of an entry go before its beginning, that before the beginning of a word, and that
    before anything inside. The entry that leads back is also called back, exit and quit.
    """
    wanted, fitting = typed.casefold().strip(), []
    for place, title in enumerate(titles):
        numbered = re.match(r"(\d+)\. ", title)
        number = numbered[1] if numbered else ""
        words = title[numbered.end() if numbered else 0 :].casefold()
        names = (words, *LEAVING) if place == back else (words,)
        if wanted == number or wanted in names:
            rank = 0
        elif title.casefold().startswith(wanted) or any(name.startswith(wanted) for name in names):
            rank = 1
        elif re.search(rf"\b{re.escape(wanted)}", words):
            rank = 2
        elif wanted in title.casefold():
            rank = 3
        else:
            continue
        fitting.append((rank, place))
    return fitting


@dataclass(slots=True)
class Choosing:
    """A list while it is chosen from. back: the entry that leads back. at: the one with the arrow, or NONE.

    ranking: in whose place of `ranked`, (how well, which), the best first: the list is then shown in that order.
    palette: whether `/` leads to everything that can be done; it is a letter elsewhere. hidden: the entries that are
    shown only where they fit what was typed.
    """

    titles: Sequence[str]
    back: int
    gap_before: int | None = None
    typed: str = ""
    at: int = 0
    ranking: Callable[[str], list[tuple[int, int]]] | None = None
    palette: bool = False
    hidden: frozenset[int] = frozenset()
    shown: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.type("")

    def type(self, letters: str) -> None:
        """What is looked for from now on; the arrow goes to the entry that fits best, and to none where none does."""
        self.typed = letters
        if not letters.strip():
            fits = [(0, place) for place in range(len(self.titles)) if place not in self.hidden]
        elif self.ranking is not None:
            fits = self.ranking(letters)
        else:
            fits = ranked(self.titles, letters, self.back)
        self.shown = [place for _, place in fits]
        if self.ranking is None:  # an entry itself goes before the group that it stands in
            fits = sorted(fits, key=lambda each: (each[0], each[1] not in self.hidden))
        self.at = fits[0][1] if fits else NONE

    def move(self, steps: int) -> None:
        """The arrow up or down, round the end."""
        if self.shown:
            self.at = self.shown[(self.shown.index(self.at) + steps) % len(self.shown)]

    def nothing(self) -> None:
        """The arrow to no entry."""
        self.at = NONE

    def out_of_sight(self, room: int, most_rows: int | None) -> bool:
        """Whether some of the entries are not to be seen where there is room for so many, and no more are wanted."""
        return len(self.shown) > min(room, most_rows or room)

    def rows(self) -> StyleAndTextTuples:
        """The list as it is drawn."""
        drawn: StyleAndTextTuples = []
        for place in self.shown:
            if place == self.gap_before and not self.typed:
                drawn.append(("", "\n"))
            if place == self.at:
                drawn += [("class:pointer", " » "), ("[SetCursorPosition]", "")]
            drawn.append(("class:highlighted" if place == self.at else "", f"{'' if place == self.at else '   '}"))
            drawn.append(("class:highlighted" if place == self.at else "", f"{self.titles[place]}\n"))
        if not self.shown:
            drawn.append(("class:instruction", "   nothing here has these letters; Backspace takes one back\n"))
        return drawn

    def under(self) -> StyleAndTextTuples:
        """What stands below the list: what is looked for, and the keys."""
        looked_for: StyleAndTextTuples = [("class:instruction", f" / {self.typed}\n")] if self.typed else []
        return [*looked_for, ("class:instruction", f" {KEYS if self.palette else SHORT_KEYS}")]


def application(
    question: str,
    choosing: Choosing,
    look: BaseStyle,
    *,
    most_rows: int | None = None,
    above: Callable[[], StyleAndTextTuples] | None = None,
) -> Application[int]:
    """The question as a program of the terminal; it ends with the entry's place, or with KeyboardInterrupt.

    most_rows: so many entries are in sight, the others when the arrow comes to them; None: all.
    above: what stands above the question while it is asked, drawn anew every few seconds.
    """
    from prompt_toolkit.application import Application
    from prompt_toolkit.filters import is_done
    from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Layout, Window

    def head() -> StyleAndTextTuples:
        answer = choosing.titles[choosing.at] if app.is_done and choosing.at != NONE else ""
        return [("class:qmark", "?"), ("class:question", f" {question} "), ("class:answer", answer)]

    top = Window(FormattedTextControl(head), wrap_lines=True, dont_extend_height=True)
    parts: list[Any] = [top, ConditionalContainer(_list(choosing, most_rows), filter=~is_done)]
    if above is not None:
        state = Window(FormattedTextControl(above), dont_extend_height=True)
        parts.insert(0, ConditionalContainer(state, filter=~is_done))
    app: Application[int] = Application(
        layout=Layout(HSplit(parts)),
        key_bindings=_bindings(choosing),
        style=look,
        refresh_interval=LOOK_AGAIN_S if above is not None else None,
    )
    app.ttimeoutlen = 0.05  # so long a lone Esc may turn out to be the beginning of another key
    return app


def _list(choosing: Choosing, most_rows: int | None) -> HSplit:
    """The entries, with a bar beside them where not all are in sight, and the keys below."""
    from prompt_toolkit.application import get_app
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.layout import (
        ConditionalMargin,
        Dimension,
        FormattedTextControl,
        HSplit,
        ScrollbarMargin,
        Window,
    )

    def out_of_sight() -> bool:
        return choosing.out_of_sight(get_app().output.get_size().rows - ROUND_THE_LIST, most_rows)

    entries = Window(
        FormattedTextControl(choosing.rows, show_cursor=False),
        height=Dimension(max=most_rows) if most_rows else None,
        right_margins=[ConditionalMargin(ScrollbarMargin(display_arrows=True), Condition(out_of_sight))],
        dont_extend_height=True,
    )
    return HSplit([entries, Window(FormattedTextControl(choosing.under), wrap_lines=True, dont_extend_height=True)])


def _bindings(choosing: Choosing) -> KeyBindings:
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.keys import Keys

    bindings = leaving(choosing.nothing)

    @bindings.add(Keys.Enter, eager=True)
    @bindings.add(Keys.ControlJ, eager=True)  # Enter, as the terminal passes it on until it hands over single keys
    def take(event: KeyPressEvent) -> None:
        if choosing.at != NONE:
            event.app.exit(result=choosing.at)

    @bindings.add(Keys.Down, eager=True)
    def down(event: KeyPressEvent) -> None:
        choosing.move(+1)

    @bindings.add(Keys.Up, eager=True)
    def up(event: KeyPressEvent) -> None:
        choosing.move(-1)

    @bindings.add(Keys.Escape, eager=True, filter=Condition(lambda: bool(choosing.typed)))
    def look_for_nothing(event: KeyPressEvent) -> None:
        choosing.type("")

    @bindings.add(Keys.Backspace, eager=True)
    def shorter(event: KeyPressEvent) -> None:
        choosing.type(choosing.typed[:-1])

    @bindings.add("?", eager=True)
    def explain(event: KeyPressEvent) -> None:
        aside(event, HELP)

    @bindings.add("/", eager=True, filter=Condition(lambda: choosing.palette))
    @bindings.add(Keys.ControlP, eager=True, filter=Condition(lambda: choosing.palette))
    def elsewhere(event: KeyPressEvent) -> None:
        aside(event, PALETTE)

    @bindings.add(Keys.Any)
    def letter(event: KeyPressEvent) -> None:
        if event.data.isprintable():
            choosing.type(choosing.typed + event.data)

    return bindings


def aside(event: KeyPressEvent, wanted: int) -> None:
    """End with something else than an entry; the list is gone from the screen, and may be asked again."""
    event.app.erase_when_done = True
    event.app.exit(result=wanted)


def leaving(before: Callable[[], None] = lambda: None) -> KeyBindings:
    """Esc and Ctrl-C, which lead back from every question; also where Ctrl-C came as a signal, as it does until the
    terminal hands over single keys, or from another program. before: what is done first."""
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    bindings = KeyBindings()

    @bindings.add(Keys.Escape, eager=True)
    @bindings.add(Keys.ControlC, eager=True)
    @bindings.add(Keys.ControlQ, eager=True)
    @bindings.add(Keys.SIGINT, eager=True)
    def leave(event: KeyPressEvent) -> None:
        before()
        event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

    return bindings


def style() -> Any:
    """How questions look."""
    import questionary

    return questionary.Style(
        [
            ("qmark", "fg:ansicyan bold"),
            ("question", "bold"),
            ("answer", "fg:ansicyan"),
            ("pointer", "fg:ansicyan bold"),
            ("highlighted", "fg:ansicyan bold"),
            ("selected", ""),
            ("instruction", "fg:ansibrightblack"),
            ("bottom-toolbar", "noreverse"),
        ]
    )
