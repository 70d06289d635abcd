"""How many answers everyday tasks take, beside the systems that this one replaces: never more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import run as program
from menus.frame.asking import Asking
from tests.homes import move_in
from tests.menus.conftest import ENTER, line, pick
from tests.payout_world import World, address
from valtrac.core.money import decimal_text
from valtrac.payouts import approvals

Press = Callable[..., str]
YES = line("y")


def find(words: str) -> str:
    """The keys that go to an action by the palette."""
    return "/" + words + ENTER


@dataclass
class Answers:
    """How many questions were answered; what was left unanswered counts for nothing."""

    given: int = 0


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    counted = Answers()

    def counting(really: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*words: Any, **how: Any) -> Any:
            answer = really(*words, **how)
            counted.given += 1
            return answer

        return ask

    for name in ("_chosen", "_ask"):
        monkeypatch.setattr(Asking, name, counting(getattr(Asking, name)))
    yield counted


def total_of(world: World, by: str = "users") -> str:
    """What a payout of 7 TAO would come to now; the draft that was needed to know is taken back."""
    batch = world.draft(by=by)
    approvals.void(world.engine, batch.id, "to know its total")
    return decimal_text(batch.total)


@pytest.mark.parametrize(("entry", "by", "old"), [(2, "users", 4), (3, "nominators", 5)])
def test_a_payout_as_every_week(world: World, press: Press, answers: Answers, entry: int, by: str, old: int) -> None:
    world.people().day()
    how_stake_counts, since_the_last = ENTER, YES  # asked the first time alone
    press(pick(entry), how_stake_counts, line("7"), since_the_last, line(total_of(world, by)), YES)
    world.day()
    total, answers.given = total_of(world, by), 0
    assert "each exactly once" in press(pick(entry), line("7"), line(total), YES)
    assert answers.given == 4 <= old


def test_a_chart(world: World, press: Press, answers: Answers) -> None:
    world.people().day()
    said = press(find("stake over"), ENTER)
    assert "$ run.py chart " in said, said
    assert answers.given <= 2


def test_the_balance_of_a_user(world: World, press: Press, answers: Answers) -> None:
    world.people().day()
    world.send(world.approved())
    said = press(find("look at one"), pick(2))
    assert "$ run.py ledger show " in said
    assert answers.given == 2 < 3


def test_beginning_to_log(world: World, press: Press, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    from menus.jobs import views

    monkeypatch.setattr(views, "start_stakes", lambda app, word, hotkey: "valtrac-stakes")
    said = press(pick(1), YES)
    assert "valtrac-stakes runs" in said
    assert answers.given == 2 < 4


def test_adding_a_referral(world: World, press: Press, answers: Answers) -> None:
    world.people()
    said = press(pick(6), pick(1), pick(1), line("0.25"), YES)
    assert "Saved; it holds" in said
    assert answers.given == 5 < 6


def test_adding_a_user(world: World, press: Press, answers: Answers) -> None:
    said = press(pick(4), pick(2), line("ann"), line(address(1)), ENTER)
    assert "ann takes part" in said
    assert answers.given == 5 < 6


def test_all_rows_of_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, press: Press, answers: Answers) -> None:
    move_in(monkeypatch, tmp_path)
    rehearse = ["contracts", "rehearse", "--client", "ann", "--send", "25000", "--memo", "three_months"]
    assert program.main(rehearse) == 0
    assert program.main(["contracts", "listen"]) == 0
    said = press(find("all payments"))
    assert "ann" in said and "principal" in said
    assert answers.given == 1
