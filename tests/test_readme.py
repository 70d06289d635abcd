"""The first payout of the README, word by word: its commands work, and its figures are those that come out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import run as program
from tests.homes import CHECKOUT, move_in

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
STEPS = README.split("## Your first payout", 1)[1].split("## A real network", 1)[0]
COMMANDS = [line.strip().partition("run.py ")[2] for line in STEPS.splitlines() if "python run.py " in line]


def test_every_command_of_the_first_payout_works_and_prints_the_figures_that_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    move_in(monkeypatch, tmp_path)
    monkeypatch.chdir(CHECKOUT)
    first = COMMANDS[: next(place for place, one in enumerate(COMMANDS) if one.startswith("payout proof"))]
    said = ""
    for words in first:
        arguments = shlex.split(words.split("#")[0])
        code = program.main([*arguments, *(["--yes"] if arguments[:2] == ["users", "import"] else [])])
        printed = capsys.readouterr()
        said += printed.out + printed.err
        assert code == 0, (words, printed.err)
    shown = STEPS.split("Payments\n", 1)[1].split("Next: run.py", 1)[0]
    figures = re.findall(r"\d+\.\d{9}", shown)
    assert len(figures) >= 6
    assert [figure for figure in figures if figure not in said] == []


def test_the_commands_of_the_readme_are_commands() -> None:
    for words in re.findall(r"run\.py ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", README):
        group = words.split()[0]
        assert program.main([group, "--help"]) == 0, words


def test_the_rehearsal_of_a_contract_goes_as_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    move_in(monkeypatch, tmp_path)
    monkeypatch.chdir(CHECKOUT)
    block = README.split("## Stake contracts on BitShares", 1)[1].split("```", 2)[1]
    said = ""
    for line in block.splitlines():
        if "run.py " in line:
            code = program.main(shlex.split(line.partition("run.py ")[2].split("#")[0]))
            printed = capsys.readouterr()
            said += printed.out + printed.err
            assert code == 0, (line, printed.err)
    assert "no. 4: reward 1" in said
    assert "2000.00000 BTS" in said
