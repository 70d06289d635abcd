"""Figures and charts are of the subnet where the stake is, whoever asks: a command, a menu, a statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import run as program
from menus.frame.ui import Back, Ui
from menus.reports.commands import statement
from menus.reports.screens import charts_and_statistics as screen
from tests.homes import small_world
from tests.menus.conftest import ENTER, LEAVE, pick
from tests.payout_world import HOTKEY, TAO, World, address
from valtrac.database.engine import writing
from valtrac.reports import statements
from valtrac.reports.model.ranges import PRESETS, month
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots

Show = Callable[..., str]
ALL_OF_IT = pick(len(PRESETS))
STAKE_OF = {7: 30 * TAO, 4: 90 * TAO}


@pytest.fixture
def subnets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A record of stakes on subnets 4 and 7, most on 4, none on root."""
    made = small_world(monkeypatch, tmp_path)
    for netuid, units in STAKE_OF.items():
        _recorded(made, netuid, units)
    yield made
    made.app.close()


def _recorded(world: World, netuid: int, units: int) -> None:
    with writing(world.engine) as conn:
        for block in (300, 600):
            at = datetime(2026, 3, 1, block // 300, tzinfo=UTC)
            stakes = {address(1): units + block}
            snapshots.add(
                conn, Snapshot(HOTKEY, netuid, block, "0x", at, "OWNER", TAO, stakes, TAO // 50, True, 11_796)
            )


@pytest.fixture
def show(subnets: World, capsys: pytest.CaptureFixture[str]) -> Show:
    """What the figures menu says to some keys."""

    def run(*keys: str) -> str:
        capsys.readouterr()
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text("".join(keys) + LEAVE)
            with suppress(Back):
                screen.run(subnets.app, Ui(width=200))
        said = capsys.readouterr()
        return said.out + said.err

    return run


def _said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = program.main(list(arguments))
    return code, capsys.readouterr()


@pytest.mark.parametrize(
    "command", [("stats",), ("chart", "stake-over-time"), ("what-if", "--take", "0.1"), ("stats", "coverage")]
)
def test_a_command_needs_no_netuid(
    subnets: World, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    code, said = _said(capsys, *command)
    assert code == 0, said.err


def test_a_command_shows_the_subnet_with_the_most_stake(subnets: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Subnet 4, 2026-03-01" in _said(capsys, "stats")[1].err
    assert "alpha of subnet 4" in _said(capsys, "stats")[1].out
    assert "alpha of subnet 7" in _said(capsys, "stats", "--netuid", "7")[1].out


def test_a_subnet_that_is_not_recorded_is_answered_with_those_that_are(
    subnets: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (("stats", "--netuid", "0"), ("chart", "--netuid", "0")):
        code, said = _said(capsys, *command)
        assert code == 2
        assert "--netuid 4, --netuid 7" in " ".join(said.err.split())
    code, said = _said(capsys, "payout", "plan", "--pool", "1", "--offline", "--fee", "0.001")
    assert code == 2
    assert "recorded on netuid 4, 7: name one, --netuid 4" in " ".join(said.err.split())


def test_the_menu_asks_for_the_subnet_with_the_most_stake_on_top(show: Show) -> None:
    said = show(pick(1), ENTER, ALL_OF_IT, ENTER)  # figures, the first subnet, all of it, the overview
    assert "Subnet 4" in said
    assert "run.py stats --netuid 4" in said
    other = show(pick(1), pick(2), ALL_OF_IT, ENTER)
    assert "run.py stats --netuid 7" in other


def test_the_menu_offers_all_subnets_as_well(show: Show) -> None:
    said = show(pick(1), pick(3), ALL_OF_IT, ENTER)  # all subnets, in TAO
    assert "All subnets, valued in TAO" in said
    assert "run.py stats --netuid all" in said


def test_a_statement_draws_the_charts_of_the_subnet_with_the_most_stake(subnets: World) -> None:
    subnets.people()
    asked = statements.of(subnets.engine, subnets.app.settings, "u001", *month("2026-03"))
    made = statement.record_or_none(subnets.app, None, asked)
    assert made is not None
    assert (made.netuid, made.unit) == (4, "alpha of subnet 4")
