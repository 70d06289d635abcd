"""The screen: the only file that knows questionary and rich.

Everything that people or chains wrote passes `plain` and is printed as text, never as markup.
Records go to stdout, words to stderr; with `json=True` records are JSON and so are problems.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NoReturn, TypeVar, cast

from rich.cells import cell_len
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from menus.frame import layout, streams
from menus.frame.progress import Progress, bar
from menus.frame.streams import Stream
from menus.frame.tables import ACCENT, BAD, DIM, GOOD, drawn_table, print_cards
from menus.frame.unread import ShowingConsole, Shown, let_read
from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.text import plain

T = TypeVar("T")
WIDEST_WORDS, WIDEST_PIPED = 100, 200
MOST_PROBLEMS = 50
NARROW = 80  # columns: what is longer would be cut where there is one line for it


class Back(Exception):
    """The owner pressed Esc or Ctrl-C: one menu back."""


class Ui:
    """One terminal. Colours follow NO_COLOR and the terminal; without one, plain text."""

    def __init__(self, *, as_json: bool = False, width: int | None = None) -> None:
        self.as_json = as_json
        self._stdout, self._stderr = Stream("stdout"), Stream("stderr")
        self.out = self._console(self._stdout, width or _piped_width(sys.stdout))
        self.err = self._console(self._stderr, width or _piped_width(sys.stderr))
        self._shown: Shown | None = None

    @staticmethod
    def _console(stream: Stream, width: int | None) -> ShowingConsole:
        return ShowingConsole(file=cast(IO[str], stream), width=width, highlight=False)

    # -- showing ------------------------------------------------------------------------

    def title(self, words: str, under: str = "") -> None:
        """A heading in a line across the screen, with a quiet line under it."""
        self.err.print()
        name = Text(plain(words), style=f"bold {ACCENT}")
        self.err.print(Rule(name, align="left", style=DIM), width=min(self.err.width, WIDEST_WORDS))
        if under:
            self.hint(under)

    def say(self, words: str) -> None:
        """A sentence for the owner."""
        self._words(Text(plain(words, 2000)))

    def hint(self, words: str) -> None:
        """What could be done next, quietly."""
        self._words(Text(plain(words, 2000), style=DIM))

    def done(self, words: str) -> None:
        """Something was done."""
        self._words(Text(plain(words, 2000)), "✓", GOOD)

    def warn(self, words: str) -> None:
        """Something to look at."""
        self._words(Text(plain(words, 2000)), "!", "yellow")

    def marked(self, mark: str, style: str, words: str) -> None:
        """A line of a list on stdout, with its mark, broken between words beside it."""
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(mark, style=style), Text(plain(words, 2000)))
        self.out.print(grid, width=min(self.out.width, WIDEST_WORDS))

    def error(self, error: ValtracError) -> None:
        """What happened, why, what to do, and whether money moved."""
        if self.as_json:
            self._stderr.write(json.dumps(error.as_dict(), ensure_ascii=True) + "\n")
            return
        self._words(Text(plain(error.what, 500)), "error", f"bold {BAD}")
        problems = [problem for problem in error.problems if problem != error.what]
        for problem in problems[:MOST_PROBLEMS]:
            self._words(Text(plain(problem, 500)), "    -")
        if len(problems) > MOST_PROBLEMS:
            self._words(Text(f"and {len(problems) - MOST_PROBLEMS} more"), "     ")
        for label, words in (("  why", error.why), ("  fix", error.fix)):
            if words:
                self._words(Text(plain(words, 1000)), label, DIM)
        moved = {
            "no": "Nothing was changed." if isinstance(error, BadInput) else "Nothing was sent.",
            "yes": "What had landed before is paid, and will not be paid again.",
            "unknown": "A transaction may be on its way; whether money moved is not known yet.",
        }[error.moved]
        self._words(Text(moved, style=DIM if error.moved == "no" else "bold yellow"), "     ")

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        empty: str = "",
        footer: Sequence[object] = (),
        optional: Sequence[str] = (),
        styles: Sequence[str] = (),
    ) -> None:
        """A table on stdout. A column named `amount (TAO)` shows its unit under its name, to the right.

        empty: what to do when there is nothing yet. optional: names of columns that are left out where
        they hold only zeros or where the terminal is narrow, the first to go last. styles: of each row.
        """
        if not rows:
            self.say(empty or f"{title}: nothing yet.")
            return
        heads = [layout.column(spec) for spec in columns]
        cells = [[plain(cell, 400) for cell in row] for row in rows]
        last = [plain(cell, 400) for cell in footer] or [""] * len(heads)
        form = layout.fitted(heads, [*cells, last], self.out.width, optional=optional, wide=cell_len)
        self.out.print()
        self.out.print(Text(plain(title), style=f"bold {ACCENT}"))
        shown = [heads[place] for place in form.places]
        picked = [[row[place] for place in form.places] for row in cells]
        under = [last[place] for place in form.places] if footer else []
        if form.cards:
            print_cards(self.out, shown, [*picked, *([under] if under else [])])
        else:
            self.out.print(drawn_table(shown, picked, under, styles))
        if form.dropped:
            self.hint(f"Left out here: {', '.join(form.dropped)}. A wider terminal or --json shows more.")

    def has_room(self, columns: Sequence[str], rows: Sequence[Sequence[object]], optional: Sequence[str] = ()) -> bool:
        """Whether a table of these fits, its optional columns left out where they have to be."""
        heads = [layout.column(spec) for spec in columns]
        cells = [[plain(cell, 400) for cell in row] for row in rows]
        return not layout.fitted(heads, cells, self.out.width, optional=optional, wide=cell_len).cards

    def facts(self, pairs: Sequence[tuple[str, object]]) -> None:
        """Names and what they are, one a line."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style=DIM, no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            grid.add_row(Text(plain(name)), Text(plain(value, 400)))
        self.out.print(grid)

    def records(self, value: Any) -> None:
        """Values for a program: JSON on stdout."""
        self._stdout.write(json.dumps(value, ensure_ascii=True, indent=2) + "\n")

    def line(self, words: str) -> None:
        """A line of a record that is words: on stdout, as it is."""
        self._stdout.write(plain(words, 2000) + "\n")

    def drawing(self, text: str) -> None:
        """A picture made of characters and colour codes of our own; nothing of people's in it raw."""
        self.out.print(Text.from_ansi(text))

    @contextmanager
    def progress(self, title: str) -> Iterator[Progress]:
        """A bar for long work; yields tell(done, total, words)."""
        if self.as_json or not self.err.is_terminal:
            yield lambda done, total, words: None
            return
        with bar(self.err, title) as tell:
            yield tell

    @contextmanager
    def working(self, words: str) -> Iterator[None]:
        """Something that turns while work of unknown length goes on; what is said meanwhile stands above it."""
        if self.as_json or not self.err.is_terminal:
            yield
            return
        with self.err.status(Text(plain(words), style=DIM), spinner_style=ACCENT):
            yield

    @contextmanager
    def afterwards(self) -> Iterator[None]:
        """What is only shown once money has moved: that it cannot be shown is said, and changes nothing."""
        try:
            yield
            streams.Stream("stdout").flush()  # a screen that is full says so only when it is handed what was kept back
        except Exception as error:
            streams.let_go()
            gone = "whoever read it has stopped reading" if isinstance(error, BrokenPipeError) else ""
            reason = gone or plain(error) or type(error).__name__
            self.warn(f"What was done stands; it could not be shown or noted down: {reason}")

    # -- asking -------------------------------------------------------------------------

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits there: no terminal means no."""
        return sys.stdin.isatty() or _fed_by_a_test()

    def choose(
        self,
        question: str,
        options: Sequence[T],
        *,
        label: Callable[[T], str] = str,
        back: str = "Back",
        gap_before: T | None = None,
        at_once: bool = False,
    ) -> T | None:
        """Pick one with the arrow keys or a part of its words; None for going back. Raises Back on Esc and Ctrl-C.

        at_once: what was shown just before belongs to the question, and need not be read first.
        """
        from menus.frame import chooser

        titles = [*(plain(label(option)) for option in options), back]
        gap = next((n for n, option in enumerate(options) if gap_before is not None and option == gap_before), None)
        self._somebody_there()
        most = self._read_first(0 if at_once else len(titles) + (gap is not None), can_shrink=True)
        try:
            choosing = chooser.Choosing(titles, len(options), gap)
            chosen = chooser.application(plain(question), choosing, chooser.style(), most_rows=most).run()
        except (KeyboardInterrupt, EOFError):
            _leave()
        return None if chosen == len(options) else options[chosen]

    def find(self, question: str, options: Sequence[str]) -> str:
        """Pick one of many by typing a part of it. Raises Back on Ctrl-C or an empty answer."""
        names = {plain(option): option for option in options}
        answer = self._ask(
            "autocomplete",
            plain(question),
            choices=list(names),
            match_middle=True,
            ignore_case=True,
            validate=lambda typed: typed in names or not typed.strip() or "type a part, then choose one with Tab",
        )
        if not answer.strip():
            _leave()
        return names[answer]

    def text(self, question: str, *, default: str = "", check: Callable[[str], object] | None = None) -> str:
        """A line of text. check: raises BadInput with what is wrong, shown under the line."""

        def valid(typed: str) -> bool | str:
            try:
                if check is not None and typed.strip():
                    check(typed)
            except BadInput as error:
                whole = plain(f"{error.what}: {error.fix}")
                return whole if error.fix and len(whole) < NARROW else plain(error.what)
            return True

        answer: str = self._ask("text", plain(question), default=default, validate=valid)
        return answer.strip()

    def password(self, question: str) -> str:
        """A secret, not shown and not kept."""
        answer: str = self._ask("password", plain(question))
        return answer

    def confirm(self, question: str, *, enter_means: bool = False) -> bool:
        """Yes or no; Enter alone means no, unless the question is a harmless one."""
        return bool(self._ask("confirm", plain(question, 400), default=enter_means, auto_enter=False))

    def type_to_confirm(self, words: str, word: str) -> bool:
        """Have a word typed back before something that cannot be undone."""
        self.say(words)
        return self.text(f"Type {word} to go on:") == word

    def _ask(self, kind: str, question: str, **how: Any) -> Any:
        self._somebody_there()
        self._read_first(1)
        import questionary
        from prompt_toolkit.key_binding import merge_key_bindings

        from menus.frame import chooser

        keys = [("class:instruction", LEAVE_KEYS)]
        asked = getattr(questionary, kind)(question, style=chooser.style(), qmark="?", bottom_toolbar=keys, **how)
        app = asked.application
        app.key_bindings = merge_key_bindings([app.key_bindings, chooser.leaving()])
        app.ttimeoutlen = 0.05
        try:
            return asked.unsafe_ask()
        except (KeyboardInterrupt, EOFError):
            _leave()

    def let_read(self, rows: int) -> None:
        """Wait until what was shown since the last question was read, where so many rows below would push it away."""
        self._read_first(rows)

    def _read_first(self, rows: int, *, can_shrink: bool = False) -> int | None:
        """As let_read; where what comes can shrink, how many rows it may have, None: all it wants."""
        return let_read(self._since_the_last_question(), self.out.size.height, rows, can_shrink=can_shrink)

    def _since_the_last_question(self) -> str:
        """What was shown; it is kept from the first question on, which only a menu asks."""
        if self._shown is None and self.out.is_terminal:
            self._shown = self.out.shown = self.err.shown = Shown(self.out)
        return "" if self._shown is None else self._shown.taken()

    def _somebody_there(self) -> None:
        """Raise BadInput where nobody can be asked."""
        if not self.can_ask:
            raise BadInput(
                "this needs an answer, and there is no terminal to ask on", fix="give it as an option; see --help"
            )

    # -- drawing ------------------------------------------------------------------------

    def _words(self, words: Text, mark: str = "", style: str = "") -> None:
        """Words on stderr, broken between words, under each other beside their mark."""
        width = min(self.err.width, WIDEST_WORDS)
        if not mark:
            self.err.print(words, width=width)
            return
        grid = Table.grid(padding=(0, 2 if len(mark) > 1 else 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(mark, style=style), words)
        self.err.print(grid, width=width)


LEAVE_KEYS = " Enter takes the answer · Esc: back"


def _piped_width(stream: Any) -> int | None:
    """Into a file or another program nothing has to be left out; a terminal says its own width."""
    return None if stream.isatty() or os.environ.get("COLUMNS") else WIDEST_PIPED


def _leave() -> NoReturn:
    raise Back


def _fed_by_a_test() -> bool:
    """Whether prompt_toolkit reads from a pipe that a test feeds."""
    from prompt_toolkit.application.current import get_app_session
    from prompt_toolkit.input.base import PipeInput

    return isinstance(get_app_session()._input, PipeInput)
