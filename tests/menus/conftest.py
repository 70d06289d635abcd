from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import menus
from menus.frame.ui import Ui
from tests.homes import move_in, small_world
from tests.payout_world import World

UP, DOWN, ENTER, CTRL_C = "\x1b[A", "\x1b[B", "\r", "\x03"
LEAVE = CTRL_C * 8  # from wherever it is; the main menu ends with the first that reaches it


def pick(place: int) -> str:
    """The keys that choose the n-th entry of a list, counted from 1."""
    return DOWN * (place - 1) + ENTER


def menu(title: str) -> str:
    """The keys that choose an entry of the main menu, or of a group in it, by its words."""
    return title + ENTER


def line(text: str) -> str:
    return text + ENTER


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return move_in(monkeypatch, tmp_path)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = small_world(monkeypatch, tmp_path)
    yield made
    made.app.close()


@pytest.fixture
def press(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the menus with keys, from the main menu until the owner leaves; what was on the screen."""

    def run(*keys: str) -> str:
        capsys.readouterr()
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text("".join(keys) + LEAVE)
            assert menus.loop(Ui()) == 0
        said = capsys.readouterr()
        return said.out + said.err

    return run
