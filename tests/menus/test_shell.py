"""In a shell: version, help with examples, plain output, dashes, completion, and that little is loaded for little."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import run as program
from menus import completing, examples
from menus.program import commands, found
from tests.homes import CHECKOUT, move_in, small_world
from tests.payout_world import World, address
from valtrac import __version__
from valtrac.core.errors import BadInput
from valtrac.people import users


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = small_world(monkeypatch, tmp_path)
    yield made.people()
    made.app.close()


def leaves(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words, command) of every command that can be called."""
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield words, command
    for name, each in inner.items():
        yield from leaves((*words, name), each)


ALL = [leaf for name in sorted(found()) for leaf in leaves((name,), commands(name).commands[name])]


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ValTrac {__version__}\n"


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("words", [(), ("payout",), ("payout", "plan")])
def test_help_is_asked_for_in_both_ways(
    words: tuple[str, ...], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main([*words, option]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Usage: run.py")
    assert "Examples:\n" in said
    assert "--show-completion" not in said


def test_the_first_help_names_every_command_as_it_names_itself(capsys: pytest.CaptureFixture[str]) -> None:
    program.main(["--help"])
    said = capsys.readouterr().out
    for name in found():
        own = str(commands(name).commands[name].help).split()[0]
        assert any(line.split()[:2] == [name, own] for line in said.splitlines()), name


@pytest.mark.parametrize(("words", "command"), ALL, ids=lambda part: " ".join(part) if isinstance(part, tuple) else "")
def test_every_command_has_an_example_in_its_help(words: tuple[str, ...], command: Any) -> None:
    own = [line for line in examples.by_command()[" ".join(words)] if shlex.split(line)[: len(words)] == list(words)]
    assert own
    assert f"run.py {own[0]}" in command.epilog


def test_every_example_is_a_command_that_can_be_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = dict(ALL)
    for line in examples.EXAMPLES.splitlines():
        words = shlex.split(line.partition(" < ")[0])
        size = next(n for n in (3, 2, 1) if len(words) >= n and tuple(words[:n]) in known)
        for word in words[size:]:
            if word.endswith((".txt", ".json", ".csv")):
                (tmp_path / word.lstrip("~/").replace("/", "-")).write_text("", encoding="utf-8")
        with known[tuple(words[:size])].make_context(words[size - 1], words[size:]) as context:
            assert context.params is not None, line


def test_plain_tables_are_lines_with_tabs_and_whole(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    users.rename(world.engine, "u001", "a very long name of somebody who has many names and uses all of them")
    assert program.main(["users", "list", "--plain"]) == 0
    said = capsys.readouterr().out
    rows = [line.split("\t") for line in said.splitlines()]
    assert rows[0][:2] == ["name", "paid at"]
    assert [row[0] for row in rows[1:]] == [
        "a very long name of somebody who has many names and uses all of them",
        "u002",
        "u003",
    ]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "\x1b" not in said
    assert rows[1][1] == address(1)
    assert program.main(["users", "list"]) == 0
    assert "\t" not in capsys.readouterr().out


def test_what_stands_behind_two_dashes_is_no_option(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["users", "add", "--", "--plain"]) == 0
    assert "--plain" in [view.name for view in users.list_users(world.engine)]


def test_a_dash_is_standard_output_and_standard_input(
    world: World, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.main(["users", "export", "-"]) == 0
    said = capsysbinary.readouterr()
    assert said.out.startswith(b"Name,Address1")
    assert b"standard output" in said.err
    assert b"/tmp" not in said.err
    sheet = f"Name,Address1\nnew,{address(9)}\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sheet)))
    assert program.main(["users", "import", "-", "--yes"]) == 0
    assert "new" in [view.name for view in users.list_users(world.engine)]


def test_a_chart_on_standard_output_is_nothing_but_the_picture(
    world: World, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    world.day()
    assert program.main(["chart", "stake-over-time", "--out", "-"]) == 0
    said = capsysbinary.readouterr().out
    assert said.startswith(b"<?xml")
    assert said.rstrip().endswith(b"</svg>")


def test_a_chart_tells_programs_what_it_is_drawn_from(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.day()
    assert program.main(["chart", "stake-over-time", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["block"] for row in told["rows"]] == sorted(row["block"] for row in told["rows"])
    assert len(told["rows"]) == 3


def test_nothing_is_read_from_a_terminal_in_the_place_of_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    assert program.main(["users", "import", "-"]) == int(BadInput.exit_code)
    assert "nothing comes in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "among"),
    [
        (["pay"], ["payout"]),
        ([""], ["alerts", "payout", "users"]),
        (["payout", "pl"], ["plan"]),
        (["payout", "plan", "--me"], ["--method"]),
        (["alerts", "targets", "a"], ["add"]),
        (["--v"], ["--version"]),
    ],
)
def test_what_may_stand_next_is_told(words: list[str], among: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--complete", *words]) == 0
    said = capsys.readouterr().out.split()
    assert set(among) <= set(said)
    assert [word for word in said if not word.startswith(words[-1])] == []


def test_where_anything_may_stand_nothing_is_told_and_nothing_goes_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["users", "import", ""],
        ["payout", "plan", "--pool", ""],
        ["nonsense", "x"],
        ["payout", "plan", "\x1b"],
    ):
        assert program.main(["--complete", *words]) == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("shell", sorted(completing.SCRIPTS))
def test_each_shell_has_a_script_that_calls_this_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["completion", shell]) == 0
    said = capsys.readouterr().out
    assert "PROGRAM" not in said
    assert "--complete" in said
    for called in ("valtrac", "run.py", "python3"):
        assert called in said


def test_another_shell_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["completion", "tcsh"]) == int(BadInput.exit_code)
    assert "bash, zsh, fish" in capsys.readouterr().err


def test_bash_completes_for_every_way_to_call_it() -> None:
    ask = 'COMPREPLY=(); COMP_WORDS=({0}); COMP_CWORD={1}; _valtrac; echo "${{COMPREPLY[@]}}"; '
    lines = [
        (".venv/bin/python run.py payout pl", 3),
        ("valtrac payout pl", 2),
        ("run.py pa", 1),
        ("python x.py pa", 2),
    ]
    script = completing.script("bash", shlex.join([sys.executable, str(CHECKOUT / "run.py")]))
    asked = "".join(ask.format(words, place) for words, place in lines)
    done = subprocess.run(["bash", "-c", script + asked], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.splitlines() == ["plan", "plan", "payout", ""]


def test_little_is_loaded_for_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys, run; run.main(sys.argv[1:]);"
        "print([name for name in ('sqlalchemy', 'pydantic', 'numpy', 'matplotlib', 'asyncio', 'alembic', 'pandas',"
        " 'bittensor', 'prompt_toolkit', 'ccxt') if name in sys.modules])"
    )
    move_in(monkeypatch, tmp_path)

    def loaded(*words: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, cwd=CHECKOUT
        )
        names: set[str] = set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))
        return names

    assert loaded("--help") == set()
    assert loaded("users", "--help") <= {"pydantic", "sqlalchemy", "asyncio"}
