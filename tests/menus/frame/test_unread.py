"""An answer stays on the screen until it was read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output
from rich.console import Console
from rich.text import Text

from menus.frame.unread import FEWEST_ENTRIES, ROUND_A_MENU, Shown, let_read
from tests.menus.conftest import CTRL_C, ENTER

LONG = "".join(f"\x1b[1mline {number}\x1b[0m\n" for number in range(100))
ESC = "\x1b"


class Drawn:
    """What a terminal of 80 by 24 is sent."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


@pytest.fixture
def read() -> Callable[..., str]:
    """Read a text with some keys, every key of which has to be used; what was drawn."""

    def run(text: str, *keys: str, rows: int = 18, can_shrink: bool = True) -> str:
        drawn = Drawn()
        output = Vt100_Output(drawn, lambda: Size(rows=24, columns=80), term="xterm", enable_cpr=False)  # type: ignore[arg-type]
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=output):
            pipe.send_text("".join(keys))
            assert let_read(text, 24, rows, can_shrink=can_shrink) is None
        return drawn.text

    return run


def test_what_fits_beside_the_menu_needs_no_key() -> None:
    assert let_read("", 24, 18, can_shrink=True) is None
    assert let_read("one\n", 24, 18, can_shrink=True) is None


def test_a_menu_makes_room_for_a_short_answer() -> None:
    short = "line\n" * (24 - ROUND_A_MENU - FEWEST_ENTRIES)
    assert let_read(short, 24, 18, can_shrink=True) == FEWEST_ENTRIES


@pytest.mark.parametrize("key", [ENTER, "q", ESC, CTRL_C])
def test_what_nearly_fills_the_screen_is_read_before_a_menu_comes(read: Callable[..., str], key: str) -> None:
    assert "Enter" in read("line\n" * 20, key)
    assert "Enter" in read("line\n" * 10, key, can_shrink=False)


def test_what_is_longer_than_the_screen_is_gone_through_and_searched(read: Callable[..., str]) -> None:
    first = read(LONG, ENTER)
    assert "line 5" in first and "line 60" not in first and "search" in first
    assert "line 30" in read(LONG, " ", " ", "q")
    assert "line 23" in read(LONG, "\x1b[B", ENTER)  # one line down
    found = read(LONG, "/", "line 77", ENTER, ENTER)
    assert "line 77" in found
    assert "line 78" in read(LONG, "/", "line 7", ENTER, *"n" * 9, ENTER)
    assert "line 99" not in read(LONG, "/", "zzz", CTRL_C, ENTER)
    for end in ("G", "\x1b[F"):
        drawn = read(LONG, end, ENTER)
        assert "line 99" in drawn and "100 of 100" in drawn
    assert "line 60" not in read(LONG, "G", "g", "\x1b[C", ENTER)


def test_a_line_has_the_whole_width(read: Callable[..., str]) -> None:
    full = "".join(f"{'x' * 75}{number:05}\n" for number in range(100))
    assert "0000\r\x1b[79C5" in read(full, ENTER)  # the last of 80 letters, after a jump as is usual at the edge


def test_what_is_kept_has_the_width_that_the_terminal_has_by_now() -> None:
    screen = Console(width=80, force_terminal=True, color_system=None)
    shown = Shown(screen)
    screen.width = 20
    shown.print(Text("word " * 10))
    assert max(map(len, shown.taken().splitlines())) <= 20


def test_what_stands_on_the_screen_is_kept_once_as_it_looks() -> None:
    shown = Shown(Console(width=40, force_terminal=True, color_system="standard"))
    shown.print(Text("red", style="red"))
    assert shown.taken() == "\x1b[31mred\x1b[0m\n"
    assert shown.taken() == ""
