"""Picking from a list: what was typed picks what was meant, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from menus.frame import chooser, helping, pick
from menus.frame.ui import Back, Ui
from tests.menus.conftest import CTRL_C, DOWN, ENTER, UP

MAIN = ["1. Begin logging", "2. Send payout", "3. Balances held back", "10. Payout history", "11. Take it back"]
ESC, BACKSPACE = "\x1b", "\x7f"


@pytest.fixture
def press() -> Callable[..., str | None]:
    """Press keys at a list; what was chosen, None for the entry that leads back. Raises Back."""

    def run(*keys: str, options: Sequence[str] = MAIN, back: str = "12. Exit") -> str | None:
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text("".join(keys))
            return Ui().choose("What?", options, back=back)

    return run


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("send", "2. Send payout"),
        ("10", "10. Payout history"),
        ("1", "1. Begin logging"),
        ("held", "3. Balances held back"),
        ("BAL", "3. Balances held back"),
        ("Back", None),
        ("exit", None),
        ("12", None),
        ("quit", None),
        ("hist", "10. Payout history"),
        ("zzz" + BACKSPACE * 3 + "send", "2. Send payout"),
        (UP, None),
        (DOWN * 2, "3. Balances held back"),
        ("payout", "10. Payout history"),
        ("??", "1. Begin logging"),
    ],
)
def test_what_was_typed_picks_what_was_meant(press: Callable[..., str | None], typed: str, chosen: str | None) -> None:
    assert press(typed, ENTER) == chosen


def test_esc_forgets_the_letters_before_it_goes_back(press: Callable[..., str | None]) -> None:
    assert press("zzz", ESC, ENTER) == "1. Begin logging"
    with pytest.raises(Back):
        press("zzz", ESC, ESC)


def test_a_list_that_is_longer_than_its_room_shows_that_there_is_more() -> None:
    choosing = chooser.Choosing(MAIN, len(MAIN))
    assert not choosing.out_of_sight(5, None) and choosing.out_of_sight(4, None) and choosing.out_of_sight(9, 4)
    choosing.type("payout")
    assert not choosing.out_of_sight(4, 4)


def test_letters_that_no_entry_has_pick_nothing(press: Callable[..., str | None]) -> None:
    assert press("zzz", ENTER, ENTER, BACKSPACE * 3, "11", ENTER) == "11. Take it back"
    with pytest.raises(Back):
        press("zzz", ENTER, CTRL_C)


@pytest.mark.parametrize("key", [ESC, CTRL_C])
def test_esc_and_ctrl_c_go_back(press: Callable[..., str | None], key: str) -> None:
    with pytest.raises(Back):
        press(key)


@pytest.mark.parametrize("kind", ["text", "password", "confirm", "find"])
@pytest.mark.parametrize("key", [ESC, CTRL_C])
def test_esc_and_ctrl_c_go_back_from_every_other_question(kind: str, key: str) -> None:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text("ab" + key)
        ui = Ui()
        ask = {"find": lambda: ui.find("Whose?", ["ann"])}.get(kind) or (lambda: getattr(ui, kind)("What?"))
        with pytest.raises(Back):
            ask()


@pytest.mark.parametrize("palette", [False, True])
def test_the_keys_stand_below_every_list_and_fit_a_narrow_terminal(palette: bool) -> None:
    choosing = chooser.Choosing(["1. Begin logging", "Back"], back=1, palette=palette)
    shown = "".join(text for _, text, *_ in choosing.under())
    assert "Esc: back" in shown
    assert "?: help" in shown
    assert ("/: go" in shown) is palette
    assert len(shown) <= 60


def test_help_explains_the_screen_the_words_that_stand_on_it_and_the_keys() -> None:
    glossary = {"batch": "one payout.", "hotkey": "a validator's address.", "keep": "a group."}
    text = helping.explained("Payout history.", "Which batch?", ["of Hotkeys", "Back"], glossary)
    assert text.startswith("Payout history.")
    assert "batch: one payout." in text and "hotkey: a validator's address." in text
    assert "keep:" not in text
    assert [key for key in chooser.ALL_KEYS if key not in text] == []


def test_help_comes_and_goes_and_what_was_typed_stays(press: Callable[..., str | None]) -> None:
    assert press("send", "?", ENTER, ENTER) == "2. Send payout"
    assert press("send", "?", ESC, ENTER) == "2. Send payout"


def test_without_a_palette_its_key_is_a_letter(press: Callable[..., str | None]) -> None:
    assert press("a/b", ENTER, options=["b/a", "a/b"]) == "a/b"


def test_a_list_without_a_match_says_so() -> None:
    choosing = chooser.Choosing(["1. Begin logging", "Back"], back=1)
    choosing.type("zzz")
    assert choosing.at == chooser.NONE
    assert "nothing here has these letters" in "".join(text for _, text, *_ in choosing.rows())


@pytest.mark.parametrize(("keys", "bps"), [("1\ry\r", 10_000), ("1\r\r1%\r", 100), ("25%\r", 2_500)])
def test_a_rate_of_everything_is_asked_about(keys: str, bps: int) -> None:
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        assert pick.rate(Ui(), "What part?") == bps
