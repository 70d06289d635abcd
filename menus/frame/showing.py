"""What is shown: words to stderr, records and tables to stdout, everything of people and chains made plain."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.cells import cell_len
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from menus.frame import calling, dashes, layout, plainly, streams
from menus.frame.progress import Progress, bar
from menus.frame.streams import Stream
from menus.frame.tables import ACCENT, BAD, DIM, GOOD, drawn_table, print_cards
from menus.frame.unread import ShowingConsole, Shown
from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.text import plain

WIDEST_WORDS, WIDEST_PIPED = 100, 200
MOST_PROBLEMS = 50


class Showing:
    """One terminal. Colours follow NO_COLOR and the terminal; without one, plain text."""

    def __init__(self, *, as_json: bool = False, width: int | None = None) -> None:
        self.as_json = as_json
        self._stdout, self._stderr = Stream("stdout"), Stream("stderr")
        self.out = self._console(self._stdout, width or _piped_width(sys.stdout))
        self.err = self._console(self._stderr, width or _piped_width(sys.stderr))
        self._shown: Shown | None = None
        self.told: set[str] = set()  # commands that were shown since a menu was opened

    @staticmethod
    def _console(stream: Stream, width: int | None) -> ShowingConsole:
        look: dict[str, Any] = {"no_color": True, "color_system": None} if plainly.on else {}
        return ShowingConsole(file=cast(IO[str], stream), width=width, highlight=False, **look)

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

    def same_as(self, command: str) -> None:
        """The command that does the same, in one line however long it is: it is there to be copied."""
        self.err.print(Text(f"$ {plain(command, 20_000)}", style=DIM), soft_wrap=True)

    def marked(self, mark: str, style: str, words: str) -> None:
        """A line of a list on stdout, with its mark, broken between words beside it."""
        if plainly.on:
            self._lines([(mark, words)])
            return
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(mark, style=style), Text(plain(words, 2000)))
        self.out.print(grid, width=min(self.out.width, WIDEST_WORDS))

    def error(self, error: ValtracError) -> None:
        """What happened, why, what to do, and whether money moved."""
        if self.as_json:
            self._stderr.write(calling.named(json.dumps(error.as_dict(), ensure_ascii=True)) + "\n")
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
        if plainly.on:
            self._lines([columns, *rows])
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
        if plainly.on:
            return True
        heads = [layout.column(spec) for spec in columns]
        cells = [[plain(cell, 400) for cell in row] for row in rows]
        return not layout.fitted(heads, cells, self.out.width, optional=optional, wide=cell_len).cards

    def facts(self, pairs: Sequence[tuple[str, object]]) -> None:
        """Names and what they are, one a line."""
        if plainly.on:
            self._lines(pairs)
            return
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style=DIM, no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            grid.add_row(Text(plain(name)), Text(plain(value, 400)))
        self.out.print(grid)

    def _lines(self, rows: Sequence[Sequence[object]]) -> None:
        """Rows for other programs: a line each, a tab between columns, everything whole."""
        for row in rows:
            self._stdout.write("\t".join(plain(cell, 2000) for cell in row) + "\n")

    def records(self, value: Any) -> None:
        """Values for a program: JSON on stdout."""
        self._stdout.write(json.dumps(value, ensure_ascii=True, indent=2) + "\n")

    def line(self, words: str) -> None:
        """A line of a record that is words: on stdout, as it is."""
        self._stdout.write(plain(words, 2000) + "\n")

    def drawing(self, text: str) -> None:
        """A picture made of characters and colour codes of our own; nothing of people's in it raw."""
        drawn = Text.from_ansi(text)
        self.out.print(Text(drawn.plain) if plainly.on else drawn)

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

    def _words(self, words: Text, mark: str = "", style: str = "") -> None:
        """Words on stderr, broken between words, under each other beside their mark."""
        said = calling.named(dashes.named(words.plain))
        words = words if said == words.plain else Text(said, style=words.style)
        width = min(self.err.width, WIDEST_WORDS)
        if plainly.on:
            self.err.print(Text(" ".join(filter(None, (mark.strip(), words.plain)))), soft_wrap=True)
            return
        if not mark:
            self.err.print(words, width=width)
            return
        grid = Table.grid(padding=(0, 2 if len(mark) > 1 else 1, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(mark, style=style), words)
        self.err.print(grid, width=width)


def _piped_width(stream: Any) -> int | None:
    """Into a file or another program nothing has to be left out; a terminal says its own width."""
    return None if stream.isatty() or os.environ.get("COLUMNS") else WIDEST_PIPED
