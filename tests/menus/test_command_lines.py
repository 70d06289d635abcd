"""The commands that menus show exist, take what they are told with, and can be pasted into a shell."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import menus
from menus import actions, same
from menus import program as program_menus
from menus.frame.ui import Ui
from menus.program import commands
from menus.reports.screens import charts_and_statistics
from tests.menus.same_cases import CASES, OF_CONTRACTS


def told_in(menu: ModuleType) -> set[str]:
    """The titles of a screen whose function tells a command, or calls one that does; by its own text."""
    tree = ast.parse(Path(menu.__file__ or "").read_text(encoding="utf-8"))
    texts = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    tells = {
        name for name, text in texts.items() if re.search(r"same\.(tell|once)\(", text) or "changing.asked" in text
    }
    tells |= {name for name, text in texts.items() if "decide(own" in text or "happenings.ALL" in text}
    found = set(getattr(menu, "SAME", {}))
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs += zip(node.keys, node.values, strict=True)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            pairs.append((node.targets[0].slice, node.value))
    for key, value in pairs:
        called = {name.id for name in ast.walk(value) if isinstance(name, ast.Name)}
        if isinstance(key, ast.Name) and called & tells:
            found.add(getattr(menu, key.id, ""))
    under: dict[str, str] = getattr(menu, "UNDER", {})
    return found | {title for title, parent in under.items() if parent in found}


def test_every_action_shows_its_command() -> None:
    """What test_same.py does not do by hand is seen to tell its command in the text of its screen."""
    done = {(case.menu, case.path[-1:]) for case in [*CASES, *OF_CONTRACTS]}
    silent = []
    for menu in menus.found():
        told = told_in(menu)
        for action in actions.known([menu]):
            if action.path and (action.menu, action.path[-1:]) not in done and action.title not in told:
                silent.append((action.menu, action.title))
    charts_and_figures = {title for _, title in charts_and_statistics.further()}
    by_hand_above = {"Begin the rehearsal chain", "Approve it", *LISTS_OF_OTHERS}
    assert [each for each in silent if each[1] not in charts_and_figures | by_hand_above] == []


# They lead to a list of further actions.
LISTS_OF_OTHERS = {
    "Figures",
    "Charts",
    "What if the rules were others?",
}


def commands_told() -> Iterator[tuple[str, str, set[str]]]:
    """(file, command, its parameters) of every command that a menu tells, by the text of the menus."""
    for path in sorted(Path(menus.__file__ or "").parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith(("same.tell", "same.once")):
                continue
            for command in [each.value for each in ast.walk(node.args[1]) if isinstance(each, ast.Constant)]:
                yield path.name, str(command), {word.arg for word in node.keywords if word.arg}


def test_every_command_that_is_told_exists_and_takes_what_it_is_told_with() -> None:
    told = list(commands_told())
    assert len(told) > 80
    wrong = []
    for file, command, given in told:
        found: Any = commands(command.split()[0])
        for word in command.split():
            found = found.commands.get(word) if found is not None else None
        known = {parameter.name for parameter in found.params} if found is not None else set()
        if found is None or given - known:
            wrong.append((file, command, given - known))
    assert wrong == []
    for menu in menus.found():
        for command in getattr(menu, "SAME", {}).values():
            assert same.line_of(command) if command.split()[0] != "logger" else True


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """What is told can hold none: passwords and addresses of alerts are read from standard input."""
    names: set[str] = set()
    for group in program_menus.found():
        tree: Any = commands(group)
        names |= {parameter.name for command in leaves(tree) for parameter in command.params}
    secret = re.compile("password|secret|private|token|seed_phrase|mnemonic")
    assert {name for name in names if secret.search(name)} == {"password_stdin", "secret_stdin"}


def leaves(command: Any) -> Iterator[Any]:
    if hasattr(command, "commands"):
        for each in command.commands.values():
            yield from leaves(each)
    else:
        yield command


@pytest.mark.parametrize(
    ("command", "given", "line"),
    [
        ("payout plan", {"pool": "12.5", "by": "users", "netuid": "0"}, "run.py payout plan --pool 12.5"),
        ("payout send", {"batch_id": 3, "password_stdin": True}, "run.py payout send 3 --password-stdin"),
        ("users end", {"name": "o'neil; rm -rf ~", "yes": True}, "run.py users end 'o'\"'\"'neil; rm -rf ~' --yes"),
        ("users end", {"name": "-x", "yes": True}, "run.py users end --yes -- -x"),
        ("payout void", {"batch_id": 1, "reason": "--why"}, "run.py payout void 1 --reason=--why"),
        ("payout begin-after", {"block": 0}, "run.py payout begin-after 0"),
        ("payout release", {"whom": ["ann b", "bob"]}, "run.py payout release 'ann b' bob"),
    ],
)
def test_a_line_is_quoted_for_a_shell_and_leaves_out_what_goes_without_saying(
    command: str, given: dict[str, Any], line: str
) -> None:
    assert same.line_of(command, **given) == line
    words = shlex.split(line)[1:]
    tree: Any = commands(words[0])
    leaf = tree.commands[words[0]].commands[words[1]]
    read = leaf.make_context(words[1], words[2:]).params
    assert {name: read[name] for name in given} == {
        name: tuple(value) if isinstance(read[name], tuple) else value for name, value in given.items()
    }


def test_a_parameter_that_a_command_lacks_is_a_fault() -> None:
    with pytest.raises(ValueError, match="has no size"):
        same.line_of("payout plan", pool="1", size="3")
    with pytest.raises(ValueError, match="needs pool"):
        same.line_of("payout plan")


def test_what_a_terminal_would_obey_is_not_shown_as_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    same.tell(Ui(), "users end", name="ann\x1b[2J")
    assert capsys.readouterr().err == ""
