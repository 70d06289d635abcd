"""What is asked: lists, lines, secrets, yes and no; a way back from each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from rich.text import Text

from menus.frame.remembered import Remembered
from menus.frame.showing import WIDEST_WORDS, Showing
from menus.frame.unread import Shown, let_read
from valtrac.core.errors import BadInput
from valtrac.core.text import plain

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings
    from rich.console import Console

    from menus.frame import chooser
    from menus.frame.palette import Action

T = TypeVar("T")
NARROW = 80  # columns: what is longer would be cut where there is one line for it
NAME_WIDTH = 11  # of what stands above a question
ROUND_THE_LIST = 4  # rows: the question above a list, what is typed, the keys below it
PATH_KEYS = " Tab completes · Enter takes the answer · Esc: back"
LEAVE_KEYS = " Enter takes the answer · Esc: back"


class Back(Exception):
    """The owner pressed Esc or Ctrl-C: one menu back."""


class Elsewhere(Back):
    """The owner chose something else in the palette: out of every menu, and in where that stands."""

    def __init__(self, action: Action) -> None:
        super().__init__(action.label)
        self.action = action


class Asking(Showing):
    """A screen that asks. actions: everything that can be done here, for the palette; about: what the screen is for;
    glossary: what words mean; remembered: what was chosen last. The menus set them."""

    actions: Callable[[], Sequence[Action]] | None = None
    about: str = ""
    glossary: Mapping[str, str] = {}
    _route: tuple[str, ...] = ()  # what is still to be chosen on the way to an action
    _beside: frozenset[str] = frozenset()  # the other actions of its menu

    def __init__(self, *, as_json: bool = False, width: int | None = None) -> None:
        super().__init__(as_json=as_json, width=width)
        self.remembered = Remembered()

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
        remember: str = "",
        hidden: Iterable[T] = (),
        above: Callable[[], list[tuple[str, str]]] | None = None,
    ) -> T | None:
        """Pick one with the arrow keys or a part of its words; None for going back. Raises Back on Esc and Ctrl-C.

        at_once: what was shown just before belongs to the question, and need not be read first.
        remember: under which name the answer is remembered; the arrow stands on the last one then.
        hidden: options that are shown only where they fit what was typed.
        above: what stands above the question while it is asked, looked at again every few seconds: (name, words).
        """
        from menus.frame import chooser

        titles = [*(plain(label(option)) for option in options), back]
        gap = next((n for n, option in enumerate(options) if gap_before is not None and option == gap_before), None)
        self._somebody_there()
        ahead = self._on_the_way(titles[:-1])
        if ahead is not None:
            return options[ahead]
        most = self._read_first(0 if at_once else len(titles) + (gap is not None), can_shrink=True)
        away = frozenset(place for place, option in enumerate(options) if option in hidden)
        choosing = chooser.Choosing(titles, len(options), gap, palette=self.actions is not None, hidden=away)
        known = [str(option) for option in options] if remember else []
        if remember and self.remembered.last(remember) in known:
            choosing.at = known.index(self.remembered.last(remember))
        if above is not None and not self.out.is_terminal:
            for name, words in above():
                self.hint(f"{name}: {words}")
        chosen = self._chosen(plain(question), choosing, most, above)
        if chosen == len(options):
            return None
        if remember:
            self.remembered.keep(remember, known[chosen])
        return options[chosen]

    def head_for(self, action: Action, beside: Iterable[str]) -> None:
        """From now on choose by itself what leads to an action. beside: the other actions of its menu."""
        self._route, self._beside = action.path, frozenset(beside)
        self.told.clear()

    def _on_the_way(self, titles: Sequence[str]) -> int | None:
        """The place of what is to be chosen on the way to an action; None where the owner is asked as ever."""
        if not self._route:
            return None
        wanted = self._route[0]
        if wanted in titles:
            self._route = self._route[1:]
            return titles.index(wanted)
        if self._beside.intersection(titles):  # it would stand here
            self._route = ()
            self.warn(f"{wanted}: not offered now, for there is nothing to do it with. This is what there is.")
        return None

    def _chosen(
        self,
        question: str,
        choosing: chooser.Choosing,
        most: int | None,
        above: Callable[[], list[tuple[str, str]]] | None = None,
    ) -> int:
        """The place of an entry. Help comes and goes; whoever chooses something else in the palette is gone."""
        from menus.frame import chooser, unread

        state = None if above is None else partial(_drawn, above, self.out)
        while True:
            try:
                asked = chooser.application(question, choosing, chooser.style(), most_rows=most, above=state)
                chosen = asked.run()
            except (KeyboardInterrupt, EOFError):
                _leave()
            if chosen == chooser.HELP:
                unread.page(self._explained(question, choosing.titles))
            elif chosen == chooser.PALETTE:
                self._look_elsewhere()
            else:
                return chosen

    def _explained(self, question: str, titles: Sequence[str]) -> str:
        from menus.frame import helping

        text = helping.explained(self.about, question, titles, self.glossary)
        with self.out.capture() as taken:
            self.out.print(Text.from_ansi(text), width=min(self.out.width, WIDEST_WORDS))
        return taken.get()

    def _look_elsewhere(self) -> None:
        """The palette; back here where nothing is chosen in it. Raises Elsewhere."""
        from menus.frame import chooser, palette

        known = self.actions() if self.actions is not None else ()
        titles = [*(plain(action.label) for action in known), "Back"]
        choosing = chooser.Choosing(titles, len(known), ranking=lambda typed: palette.fitting(known, typed))
        most = max(3, min(palette.MOST_SHOWN, self.out.size.height - ROUND_THE_LIST))
        try:
            chosen = self._chosen(palette.QUESTION, choosing, most)
        except Back:
            return
        if chosen < len(known):
            raise Elsewhere(known[chosen])

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
        """Have a word typed back before something that cannot be undone; one that was mistyped is asked for again."""
        self.say(words)
        while typed := self.text(f"Type {word} to go on (empty to go back):"):
            if typed == word:
                return True
            self.warn(f"{typed} is not {word}.")
        return False

    def path(self, question: str) -> str:
        """The path of a file or folder, which Tab completes; "" for none."""
        answer: str = self._ask("path", plain(question), keys=PATH_KEYS, more=_enter_takes_a_file())
        return answer.strip().strip("'\"")

    def _ask(
        self, kind: str, question: str, *, keys: str = LEAVE_KEYS, more: KeyBindings | None = None, **how: Any
    ) -> Any:
        self._somebody_there()
        self._read_first(1)
        import questionary
        from prompt_toolkit.key_binding import merge_key_bindings

        from menus.frame import chooser

        under = [("class:instruction", keys)]
        while True:
            asked = getattr(questionary, kind)(question, style=chooser.style(), qmark="?", bottom_toolbar=under, **how)
            app = asked.application
            further = [chooser.leaving(), self._palette_key(), *([more] if more is not None else [])]
            app.key_bindings = merge_key_bindings([app.key_bindings, *further])
            app.ttimeoutlen = 0.05
            try:
                answer = asked.unsafe_ask()
            except (KeyboardInterrupt, EOFError):
                _leave()
            if answer is not chooser.PALETTE:
                return answer
            self._look_elsewhere()

    def _palette_key(self) -> KeyBindings:
        """Ctrl-P, which opens the palette from a line of text too, where `/` is a letter."""
        from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
        from prompt_toolkit.keys import Keys

        from menus.frame import chooser

        keys = KeyBindings()
        if self.actions is not None:

            @keys.add(Keys.ControlP, eager=True)
            def elsewhere(event: KeyPressEvent) -> None:
                chooser.aside(event, chooser.PALETTE)

        return keys

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


def _drawn(above: Callable[[], list[tuple[str, str]]], out: Console) -> StyleAndTextTuples:
    """What stands above a question, each in one line."""
    lines: StyleAndTextTuples = []
    for name, words in above():
        whole = Text(plain(words))
        whole.truncate(max(10, out.width - NAME_WIDTH - 1), overflow="ellipsis")
        lines += [("class:instruction", f"{name:{NAME_WIDTH}}"), ("", f"{whole.plain}\n")]
    return lines


def _enter_takes_a_file() -> KeyBindings:
    """Enter takes what is typed, whatever list of completions stands below it; in a folder it closes that list."""
    from pathlib import Path

    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.keys import Keys

    keys = KeyBindings()

    @keys.add(Keys.ControlM, eager=True)
    def take(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and Path(buffer.text).expanduser().is_dir():
            buffer.complete_state = None
        else:
            event.app.exit(result=buffer.text)

    return keys


def _leave() -> NoReturn:
    raise Back


def _fed_by_a_test() -> bool:
    """Whether prompt_toolkit reads from a pipe that a test feeds."""
    from prompt_toolkit.application.current import get_app_session
    from prompt_toolkit.input.base import PipeInput

    return isinstance(get_app_session()._input, PipeInput)
