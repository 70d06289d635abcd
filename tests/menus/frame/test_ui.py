"""The screen: text of people is text, tables fit, words and records go their own ways."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from threading import Thread
from time import sleep

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from menus.frame.ui import Ui
from tests.homes import CHECKOUT
from valtrac.core.errors import BadInput, OutcomeUnknown, Refused

NASTY = [
    "bob [/oops]",
    "[red]cat[/red]",
    "\x1b[2Jgone",
    "evil\u202etxt",
    "a\nb\rc",
    "日本語の名前",
    "[link=http://x]y[/link]",
]
PEOPLE = ["who", "to", "from pool (TAO)", "released (TAO)", "fee share (TAO)", "amount (TAO)", "state"]


def rows(names: list[str]) -> list[list[str]]:
    return [
        [name, "5GF2pj...A6ZfJe", "12345.600234022", "1.000000000", "0.000137051", "12346.600096971", "paid"]
        for name in names
    ]


@pytest.mark.parametrize("words", NASTY)
def test_what_people_wrote_is_never_markup_and_moves_no_cursor(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    ui = Ui(width=80)
    for show in (ui.say, ui.hint, ui.done, ui.warn, ui.title):
        show(words)
    ui.table(words, PEOPLE, rows([words]), footer=["total", "", "", "", "", "1", ""])
    ui.facts([("name", words)])
    ui.error(BadInput(words, why=words, fix=words, problems=[words, "another"]))
    said = capsys.readouterr()
    assert not any(letter in said.out + said.err for letter in "\x1b\u202e\r")
    if words.startswith(("bob", "[red]")):
        assert (said.out + said.err).count(words) >= 9


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Ui(width=width).table("Payments", PEOPLE, rows(["ann", "bob [/oops]"]), optional=["state", "released", "fee share"])
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= width
    assert said.count("12346.600096971") == 2
    assert said.count("5GF2pj...A6ZfJe") == 2
    assert "…" not in said


def test_columns_left_out_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    Ui(width=60).table("Payments", PEOPLE, rows(["ann"]), optional=["state", "released", "fee share", "from pool"])
    assert "Left out here: fee share, from pool" in " ".join(capsys.readouterr().err.split())


def test_an_empty_table_says_the_next_step_and_nothing_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    Ui().table("Users", ["name"], [], empty="No users yet. Load some.")
    assert capsys.readouterr() == ("", "No users yet. Load some.\n")


def test_records_go_to_stdout_and_words_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    ui = Ui(as_json=True)
    ui.done("done")
    ui.records([])
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert "done" in said.err


def test_an_error_as_json_is_one_line_of_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Ui(as_json=True).error(OutcomeUnknown("gone", fix="Run: run.py payout reconcile", problems=["x"]))
    said = capsys.readouterr()
    assert said.out == ""
    assert json.loads(said.err) == {
        "error": "gone",
        "why": "",
        "fix": "Run: run.py payout reconcile",
        "moved": "unknown",
        "problems": ["x"],
        "exit_code": 5,
    }


def test_an_error_says_what_why_fix_and_whether_money_moved(capsys: pytest.CaptureFixture[str]) -> None:
    Ui(width=80).error(BadInput("what", why="why", fix="fix"))
    assert [line.rstrip() for line in capsys.readouterr().err.splitlines()] == [
        "error  what",
        "  why  why",
        "  fix  fix",
        "       Nothing was changed.",
    ]
    Ui(width=80).error(Refused("what"))
    assert "Nothing was sent." in capsys.readouterr().err
    Ui(width=80).error(Refused("what", moved="yes"))
    assert "What had landed before is paid" in capsys.readouterr().err
    Ui(width=80).error(OutcomeUnknown("gone"))
    assert "whether money moved is not known yet" in capsys.readouterr().err


def test_a_thousand_problems_are_counted_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    Ui(width=80).error(BadInput("bad sheet", problems=[f"row {n}" for n in range(1000)]))
    said = capsys.readouterr().err
    assert "row 49" in said
    assert "row 50" not in said
    assert "and 950 more" in said


def test_without_a_terminal_nothing_can_be_agreed_to() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from menus.frame.ui import Ui; Ui().confirm('Send?')"],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode != 0
    assert "no terminal to ask on" in said.stderr


def test_the_first_screen_is_drawn_before_anything_heavy_is_loaded(tmp_path: Path) -> None:
    code = """
import sys
from menus.frame.ui import Ui
import menus
from menus.frame.first_screen import Standing, greet
from valtrac.wiring.payouts import App
from valtrac.settings import load
menus.found()
settings = load({"VALTRAC_HOME": sys.argv[1]}, __import__("pathlib").Path("/dev/null"))
greet(App(settings), Ui())
print(Standing(settings).rows(), file=sys.stderr)
heavy = ("sqlalchemy", "alembic", "pandas", "numpy", "matplotlib", "bittensor", "bittensor_core", "typer", "plotext")
print([name for name in heavy if name in sys.modules])
"""
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
    assert "('Next', 'begin the rehearsal chain" in said.stderr


def test_tab_completes_the_path_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "people of ours.csv").write_text("", encoding="utf-8")
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):

        def typing() -> None:
            for keys in (str(tmp_path / "peo"), "\t", "\r"):
                pipe.send_text(keys)
                sleep(0.3)  # what Tab finds comes from another thread

        fingers = Thread(target=typing)
        fingers.start()
        answer = Ui().path("Which file?")
        fingers.join()
    assert answer == str(tmp_path / "people of ours.csv")
