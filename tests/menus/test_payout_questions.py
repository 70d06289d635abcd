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
from tests.menus.conftest import CTRL_C, ENTER, line, menu, pick
from tests.payout_world import HOTKEY, TAO, World, address
from valtrac.chains.bittensor import connect
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payouts import approvals
from valtrac.payouts.store import batches
from valtrac.ports import Payer
from valtrac.wiring.payouts import App

Press = Callable[..., str]


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
            units = pool.asked(world.app, Ui(), HOTKEY, 0) or 0
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


BY_REFERRAL, HISTORY = pick(2), menu("Payout history and batches")
FIRST = ENTER  # how stake becomes a share
SINCE = "y" + ENTER  # everything since the last payout


def total_of(world: World) -> str:
    """What a payout of 7 TAO would come to now; the draft that was needed to know is taken back."""
    batch = world.draft()
    approvals.void(world.engine, batch.id, "to know its total")
    return decimal_text(batch.total)


def states(world: World) -> list[str]:
    with reading(world.engine) as conn:
        return [batch.state for batch in batches.listed(conn)]


def test_after_the_first_payout_the_pool_the_total_and_a_word_are_all_that_is_asked(world: World, press: Press) -> None:
    world.people().day()
    first = press(BY_REFERRAL, FIRST, line("7"), SINCE, line(total_of(world)), "y" + ENTER)
    assert "each exactly once" in first
    assert "The next payout makes sense after the next snapshot, about block" in " ".join(first.split())
    world.day()
    answers = [line("7"), line(total_of(world)), "y" + ENTER]
    said = press(BY_REFERRAL, *answers)
    assert len(answers) < 4  # with a wallet's password in the place of yes, and a page to look at, four
    assert "As last time: " in said
    assert "everything since block" in " ".join(said.split())
    assert states(world)[:1] == ["settled"]


def test_other_terms_can_be_chosen_instead_of_those_of_last_time(world: World, press: Press) -> None:
    world.people().day()
    press(BY_REFERRAL, FIRST, line("7"), SINCE)
    approvals.void(world.engine, 1, "again")
    said = press(BY_REFERRAL, line("other"), pick(2), line("7"), SINCE)
    assert "payout plan --pool 7 --method stake-time" in said
    approvals.void(world.engine, 2, "again")
    assert "payout plan --pool 7 --method stake-time" in press(BY_REFERRAL, line("7"))


def test_the_password_is_the_word_on_sending(world: World, press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    world.people().day()
    typed: list[str] = []

    def unlocked(app: App, password: str = "") -> Payer:
        typed.append(password)
        return connect.dev_payer(app.chain, "//Owner")

    monkeypatch.setattr(App, "needs_password", property(lambda app: True))
    monkeypatch.setattr(App, "unlock", unlocked)
    said = press(BY_REFERRAL, FIRST, line("7"), SINCE, line(total_of(world)), line("secret"))
    assert typed == ["secret"]
    assert "payout send 2 --password-stdin" in said
    assert "secret" not in said
    world.day()
    total = total_of(world)
    said = press(BY_REFERRAL, line("7"), line(total), ENTER, ENTER)  # no password, and no to a wallet without one
    assert "Not sent. It stays approved" in said
    assert typed == ["secret"]


def test_one_mistyped_total_asks_again(world: World, press: Press) -> None:
    world.people().day()
    said = press(BY_REFERRAL, FIRST, line("7"), SINCE, line("6.5"), line(total_of(world)), ENTER)
    assert "6.5 is not" in said
    assert "Batch #2 is approved." in said


def test_where_everything_is_paid_it_says_when_the_next_payout_makes_sense_and_asks_for_no_pool(
    world: World, press: Press
) -> None:
    world.people().day()
    batch = world.send(world.approved())
    assert batch.state == "settled"
    said = " ".join(press(BY_REFERRAL, FIRST, ENTER, HISTORY).split())  # Enter alone: older blocks are not paid again
    assert f"Everything recorded up to block {batch.to_block} is paid or approved" in said
    assert f"about block {batch.to_block + world.app.settings.snapshot_interval}" in said
    assert len(states(world)) == 1


def test_a_draft_of_the_same_is_told_of_before_anything_is_asked(world: World, press: Press) -> None:
    world.people().day()
    draft = world.draft()
    said = " ".join(press(BY_REFERRAL, FIRST, ENTER, line(decimal_text(draft.total)), "y" + ENTER).split())
    assert f"Draft #{draft.id} of" in said and "waits already" in said
    assert states(world) == ["settled"]
    assert "payout plan" not in said


def test_what_was_chosen_last_is_offered_first_and_is_nobody_elses_to_read(world: World, press: Press) -> None:
    world.people().day()
    press(BY_REFERRAL, pick(3), line("7"), SINCE)
    file = world.home / "data" / "last-choices.json"
    assert "accrual" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0
    approvals.void(world.engine, 1, "again")
    assert "--method accrual" in press(BY_REFERRAL, line("other"), ENTER, line("7"), SINCE)


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"payout.method": 3}', '{"payout.method": "other"}'])
def test_a_memory_that_cannot_be_read_asks_everything(world: World, press: Press, content: str) -> None:
    world.people().day()
    (world.home / "data" / "last-choices.json").write_text(content, encoding="utf-8")
    assert "payout plan --pool 7" in press(BY_REFERRAL, FIRST, line("7"), SINCE)
