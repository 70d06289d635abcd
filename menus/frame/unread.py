"""What was shown since the last question: kept until the owner has read it, whatever the next menu would push away."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.control import Control

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.layout import BufferControl

MOST_LETTERS = 2_000_000
FEWEST_ENTRIES = 8  # of a menu that stands below an answer; with less room than that the answer is read first
ROUND_A_MENU = 3  # its question, the empty line before it and its keys
PAUSE = " Enter: on to the menu"
KEYS = "Arrows, Space · /: search · Enter: on"
PAGE_KEYS = "Arrows, Space · /: search · Enter: back"


class Shown:
    """A copy of what stands on a screen of some width since the last question, with its colours."""

    def __init__(self, like: Console) -> None:
        self._text, self._like = io.StringIO(), like
        system: Any = like.color_system
        self._console = Console(
            file=self._text, width=like.width, force_terminal=True, color_system=system, highlight=False
        )

    def print(self, *objects: Any, **how: Any) -> None:
        """Take in what is printed elsewhere."""
        if not any(isinstance(each, Control) for each in objects) and self._text.tell() < MOST_LETTERS:
            self._console.width = self._like.width  # the terminal may have another one by now
            self._console.print(*objects, **how)

    def taken(self) -> str:
        """What was shown; from now on nothing was."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text


class ShowingConsole(Console):
    """A console that leaves a copy of what it prints. Its reader may leave early, as `head` does: that is no fault."""

    shown: Shown | None = None

    def on_broken_pipe(self) -> None:
        """Leave it to the outermost handler, which ends quietly."""
        raise BrokenPipeError

    def print(self, *objects: Any, **how: Any) -> None:
        """Print, and leave the copy."""
        super().print(*objects, **how)
        if self.shown is not None:
            self.shown.print(*objects, **how)


def let_read(text: str, height: int, rows: int, *, can_shrink: bool) -> int | None:
    """Let the owner read what stands there before a menu or question of so many rows comes below it.

    How many entries the menu may show so that nothing is pushed away; None where it fits as it is, or the answer was
    read already. An answer that is longer than the screen is shown page by page. can_shrink: whether what comes can do
    with less room.
    """
    taken = text.count("\n")
    left = height - taken - ROUND_A_MENU
    if not taken or rows <= left:
        return None
    if can_shrink and left >= FEWEST_ENTRIES:
        return left
    (_pager(text) if taken >= height else _pause()).run()
    return None


def page(text: str) -> None:
    """Show a text by itself, to be gone through; the screen is as before afterwards."""
    _pager(text, on=PAGE_KEYS).run()


def _pause() -> Application[None]:
    from prompt_toolkit.application import Application
    from prompt_toolkit.layout import FormattedTextControl, Layout, Window

    from menus.frame import chooser

    line = Window(FormattedTextControl([("class:instruction", PAUSE)], show_cursor=False), dont_extend_height=True)
    keys = _leaving()
    return Application(layout=Layout(line), key_bindings=keys, style=chooser.style(), erase_when_done=True)


def _pager(text: str, on: str = KEYS) -> Application[None]:
    """All of it, to be gone through; it is gone from the screen afterwards."""
    from prompt_toolkit.application import Application
    from prompt_toolkit.formatted_text import ANSI, to_formatted_text
    from prompt_toolkit.formatted_text.utils import split_lines
    from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
    from prompt_toolkit.widgets import SearchToolbar

    from menus.frame import chooser

    search = SearchToolbar()
    lines = [list(line) for line in split_lines(to_formatted_text(ANSI(text.strip("\n"))))]
    window = Window(_coloured(lines, search.control), wrap_lines=True)

    def where() -> StyleAndTextTuples:
        """How far one has got, and the keys; the text has the whole width to itself."""
        seen = window.render_info.last_visible_line() + 1 if window.render_info else 0
        return [("class:instruction", f" {seen} of {len(lines)} · {on}")]

    under = Window(FormattedTextControl(where), height=1)
    layout = Layout(HSplit([window, search, under]), focused_element=window)
    return Application(
        layout=layout,
        key_bindings=_scrolling(layout),
        style=chooser.style(),
        full_screen=True,
        enable_page_navigation_bindings=True,
    )


def _coloured(lines: list[Any], search: Any) -> BufferControl:
    """Text that can be moved about in and searched, each line with the colours that it was shown with."""
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import fragment_list_to_text
    from prompt_toolkit.layout import BufferControl, processors

    class Coloured(processors.Processor):
        """The letters as they were shown."""

        def apply_transformation(self, given: processors.TransformationInput) -> processors.Transformation:
            return processors.Transformation(lines[given.lineno] if given.lineno < len(lines) else given.fragments)

    whole = Document("\n".join(fragment_list_to_text(line) for line in lines), 0)
    return BufferControl(
        Buffer(document=whole, read_only=True),
        input_processors=[Coloured(), processors.HighlightSearchProcessor()],
        include_default_input_processors=False,
        search_buffer_control=search,
    )


def _scrolling(layout: Any) -> KeyBindings:
    """The keys of less, beside those that every window has."""
    from prompt_toolkit.filters import is_searching
    from prompt_toolkit.key_binding.bindings import scroll, search
    from prompt_toolkit.search import start_search

    keys = _leaving(~is_searching)

    @keys.add("/", filter=~is_searching)
    def look_for(event: KeyPressEvent) -> None:
        start_search(layout.current_control)

    @keys.add("n", filter=~is_searching)
    def further(event: KeyPressEvent) -> None:
        state = layout.current_control.search_state
        event.current_buffer.apply_search(state, include_current_position=False)

    @keys.add("G", filter=~is_searching)
    @keys.add("end", filter=~is_searching)
    def to_the_end(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        buffer.cursor_position = buffer.document.translate_row_col_to_index(buffer.document.line_count - 1, 0)

    @keys.add("g", filter=~is_searching)
    @keys.add("home", filter=~is_searching)
    def to_the_beginning(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position = 0

    @keys.add("left", filter=~is_searching)
    @keys.add("right", filter=~is_searching)
    def stay(event: KeyPressEvent) -> None:
        """All of a line is in sight."""

    keys.add("enter", filter=is_searching)(search.accept_search)
    keys.add("escape", filter=is_searching, eager=True)(search.abort_search)
    keys.add("down", filter=~is_searching)(scroll.scroll_one_line_down)
    keys.add("up", filter=~is_searching)(scroll.scroll_one_line_up)
    keys.add(" ", filter=~is_searching)(scroll.scroll_page_down)
    return keys


def _leaving(when: Any = True) -> KeyBindings:
    """Enter, q, Esc and Ctrl-C go on, and so does what has opened an explanation."""
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()

    def leave(event: KeyPressEvent) -> None:
        event.app.exit()

    for key in (Keys.Enter, "q", "?"):
        keys.add(key, filter=when)(leave)
    for key in (Keys.Escape, Keys.ControlC, Keys.SIGINT):
        keys.add(key, filter=when, eager=True)(leave)
    return keys
