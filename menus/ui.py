"""The screen: the only file that knows questionary and rich.

Everything that people or chains wrote passes `plain` and is printed as text, never as markup.
Records go to stdout, words to stderr; with `json=True` records are JSON and so are problems.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from valtrac.domain.text import plain
from valtrac.errors import BadInput, ValtracError

T = TypeVar("T")
Progress = Callable[[int, int, str], None]
ACCENT, GOOD, BAD, DIM = "cyan", "green", "red", "dim"
NUMBERS = ("block", "from block", "until", "netuid", "payees", "nominators", "addresses", "restarts", "blocks")


class Back(Exception):
    """The owner pressed Ctrl-C: one menu back."""


class Ui:
    """One terminal. Colours follow NO_COLOR and the terminal; without one, plain text."""

    def __init__(self, *, as_json: bool = False, width: int | None = None) -> None:
        self.as_json = as_json
        self.out = Console(width=width, highlight=False, soft_wrap=False)
        self.err = Console(width=width, stderr=True, highlight=False)

    # -- showing ------------------------------------------------------------------------

    def title(self, words: str, under: str = "") -> None:
        """A heading with a line under it."""
        self.err.print()
        self.err.print(Text(plain(words), style=f"bold {ACCENT}"), Text(plain(under, 400), style=DIM))

    def say(self, words: str) -> None:
        """A sentence for the owner."""
        self.err.print(Text(plain(words, 2000)))

    def hint(self, words: str) -> None:
        """What could be done next, quietly."""
        self.err.print(Text(plain(words, 2000), style=DIM))

    def done(self, words: str) -> None:
        """Something was done."""
        self.err.print(Text("✓ ", style=GOOD) + Text(plain(words, 2000)))

    def warn(self, words: str) -> None:
        """Something to look at."""
        self.err.print(Text("! ", style="yellow") + Text(plain(words, 2000)))

    def error(self, error: ValtracError) -> None:
        """What happened, why, what to do, and whether money moved."""
        if self.as_json:
            sys.stderr.write(json.dumps(error.as_dict(), ensure_ascii=True) + "\n")
            return
        self.err.print(Text("error  ", style=f"bold {BAD}") + Text(plain(error.what, 500)))
        for problem in error.problems[:50]:
            self.err.print(Text("       - " + plain(problem, 500)))
        if len(error.problems) > 50:
            self.err.print(Text(f"       and {len(error.problems) - 50} more"))
        for label, words in (("why", error.why), ("fix", error.fix)):
            if words:
                self.err.print(Text(f"  {label}  ", style=DIM) + Text(plain(words, 1000)))
        moved = (
            "Nothing was sent."
            if error.moved == "no"
            else "A transaction left this machine; whether money moved is not known yet."
        )
        self.err.print(Text(f"       {moved}", style=DIM))

    def table(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        empty: str = "",
        footer: Sequence[object] = (),
    ) -> None:
        """A table on stdout. A column named `amount (TAO)` shows its unit under its name, to the right.

        empty: what to do when there is nothing yet.
        """
        if not rows:
            self.say(empty or f"{title}: nothing yet.")
            return
        drawn = Table(
            title=Text(plain(title), style=f"bold {ACCENT}"),
            title_justify="left",
            show_footer=bool(footer),
            box=SIMPLE_HEAD,
            header_style="bold",
            border_style=DIM,
            pad_edge=False,
            padding=(0, 1, 0, 0),
        )
        for place, column in enumerate(columns):
            name, unit = column.split(" (")[0], column.partition(" (")[2].rstrip(")")
            right = bool(unit) or name in NUMBERS
            drawn.add_column(
                Text(name + (f"\n{unit}" if unit else "")),
                justify="right" if right else "left",
                overflow="fold",
                no_wrap=right,
                footer=Text(plain(footer[place])) if footer else "",
            )
        for row in rows:
            drawn.add_row(*(Text(plain(cell, 400)) for cell in row))
        self.out.print(drawn)

    def records(self, value: Any) -> None:
        """Values for a program: JSON on stdout."""
        sys.stdout.write(json.dumps(value, ensure_ascii=True, indent=2) + "\n")

    def drawing(self, text: str) -> None:
        """A picture made of characters and colour codes of our own; nothing of people's in it raw."""
        self.out.print(Text.from_ansi(text))

    @contextmanager
    def progress(self, title: str) -> Iterator[Progress]:
        """A bar for long work; yields tell(done, total, words)."""
        if self.as_json or not self.err.is_terminal:
            yield lambda done, total, words: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        with Bar(
            TextColumn("{task.fields[title]}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}", markup=False),
            console=self.err,
            transient=True,
        ) as bar:
            task = bar.add_task("", total=None, title=plain(title), words="")

            def tell(done: int, total: int, words: str) -> None:
                bar.update(task, completed=done, total=total, words=plain(words))

            yield tell

    # -- asking -------------------------------------------------------------------------

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits there: no terminal means no."""
        return sys.stdin.isatty() or _fed_by_a_test()

    def choose(
        self, question: str, options: Sequence[T], *, label: Callable[[T], str] = str, back: str = "Back"
    ) -> T | None:
        """Pick one with the arrow keys; None for going back. Raises Back on Ctrl-C."""
        import questionary

        choices = [questionary.Choice(plain(label(option)), value=option) for option in options]
        if back:
            choices.append(questionary.Choice(back, value=None))
        answer: T | None = self._ask(
            questionary.select(
                plain(question),
                choices=choices,
                instruction=" ",
                use_jk_keys=False,
                use_search_filter=len(choices) > 25,
            )
        )
        return answer

    def find(self, question: str, options: Sequence[str]) -> str:
        """Pick one of many by typing a part of it. Raises Back on Ctrl-C or an empty answer."""
        import questionary

        names = {plain(option): option for option in options}
        answer = self._ask(
            questionary.autocomplete(
                plain(question),
                choices=list(names),
                match_middle=True,
                ignore_case=True,
                validate=lambda typed: typed in names or "type a part, then choose one",
            )
        )
        return names[answer]

    def text(self, question: str, *, default: str = "", check: Callable[[str], object] | None = None) -> str:
        """A line of text. check: raises BadInput with what is wrong, shown under the line."""
        import questionary

        def valid(typed: str) -> bool | str:
            try:
                if check is not None and typed.strip():
                    check(typed)
            except BadInput as error:
                return plain(error.what)
            return True

        answer: str = self._ask(questionary.text(plain(question), default=default, validate=valid))
        return answer.strip()

    def password(self, question: str) -> str:
        """A secret, not shown and not kept."""
        import questionary

        answer: str = self._ask(questionary.password(plain(question)))
        return answer

    def confirm(self, question: str) -> bool:
        """Yes or no; Enter alone means no."""
        import questionary

        return bool(self._ask(questionary.confirm(plain(question), default=False, auto_enter=False)))

    def type_to_confirm(self, words: str, word: str) -> bool:
        """Have a word typed back before something that cannot be undone."""
        self.say(words)
        return self.text(f"Type {word} to go on:") == word

    def pause(self) -> None:
        """Wait for Enter, so that what was shown can be read."""
        import questionary

        self._ask(questionary.text("Enter to go back", qmark=" "))

    def _ask(self, prompt: Any) -> Any:
        if not self.can_ask:
            raise BadInput(
                "this needs an answer, and there is no terminal to ask on", "", "give it as an option; see --help"
            )
        try:
            return prompt.unsafe_ask()
        except (KeyboardInterrupt, EOFError):
            _leave()


def _leave() -> NoReturn:
    raise Back


def _fed_by_a_test() -> bool:
    """Whether prompt_toolkit reads from a pipe that a test feeds."""
    from prompt_toolkit.application.current import get_app_session
    from prompt_toolkit.input.base import PipeInput

    return isinstance(get_app_session()._input, PipeInput)
