"""What an owner sees of a payout before he agrees to it: whole addresses, what there is to share, and slips."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from menus.frame.ui import Back, Ui
from menus.payouts import pool, views
from tests.menus.conftest import CTRL_C, line
from tests.payout_world import HOTKEY, TAO, World, address
from valtrac.devnet import bittensor as devnet


@pytest.mark.parametrize(("width", "whole"), [(80, True), (120, True), (60, False)])
def test_a_draft_shows_each_address_whole_where_there_is_room(
    world: World, capsys: pytest.CaptureFixture[str], width: int, whole: bool
) -> None:
    batch = world.people().day().draft()
    views.batch(Ui(width=width), world.engine, batch)
    shown = capsys.readouterr().out
    assert (address(1) in shown) is whole
    assert (f"{address(1)[:6]}..." in shown) is not whole


@pytest.mark.parametrize("width", [40, 80])
def test_payout_show_always_shows_each_address_whole(
    world: World, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    batch = world.people().day().draft()
    views.batch(Ui(width=width), world.engine, batch, always_whole=True)
    shown = re.sub(r"\s", "", capsys.readouterr().out)
    assert all(address(number) in shown for number in range(1, world.heads + 1))


@pytest.fixture
def asked(world: World, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Answer the pool's question with keys; the pool in rao, and what was said."""

    def run(*keys: str) -> tuple[int, str]:
        capsys.readouterr()
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text("".join(keys))
            units = pool.asked(world.app, Ui(), HOTKEY, 0)
        said = capsys.readouterr()
        return units, " ".join((said.out + said.err).split())

    return run


def test_the_pools_question_says_what_there_is_and_suggests_the_take(
    world: World, asked: Callable[..., tuple[int, str]]
) -> None:
    world.people().day(4)
    there = pool.means(world.app, HOTKEY, 0)
    assert there.holds == 1000 * TAO
    assert there.take
    units, said = asked(line(""))
    assert units == there.take
    assert "The payout wallet holds 1000.000000000 TAO." in said
    assert "of take came in in the record of stakes" in said


def test_the_take_is_counted_from_the_last_payout_on(world: World) -> None:
    world.people().day(2)
    before = pool.means(world.app, HOTKEY, 0)
    batch = world.approved()
    world.day(2)
    after = pool.means(world.app, HOTKEY, 0)
    assert (before.since, after.since) == (None, batch.to_block)
    assert after.take


def test_a_pool_far_above_what_there_is_is_asked_about_again(
    world: World, asked: Callable[..., tuple[int, str]]
) -> None:
    world.people().day(2)
    assert asked(line("70000"), line(""), line("7"))[0] == 7 * TAO
    assert asked(line("70000"), line("y"))[0] == 70_000 * TAO
    assert asked(line("1500"))[0] == 1500 * TAO


def test_without_a_node_the_question_is_asked_all_the_same(world: World, asked: Callable[..., tuple[int, str]]) -> None:
    world.people().day(1)
    devnet.misbehave(world.node, down=1000)
    units, said = asked(line("7"))
    assert units == 7 * TAO
    assert "wallet holds" not in said
    with pytest.raises(Back):
        asked(CTRL_C)
