"""What is paid from the menu is what was shown: what falls due while the question stands is asked too."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from menus.contracts import paying, views
from menus.frame.ui import Ui
from valtrac.contracts.model.contracts import Due
from valtrac.wiring.contracts import ContractsApp


@dataclass
class Owed:
    id: int
    units: int = 100_000
    type: str = "interest"


@dataclass
class Asked:
    """A screen whose owner takes his time, and agrees so many times."""

    agrees: int
    questions: list[str] = field(default_factory=list)

    def confirm(self, words: str) -> bool:
        self.questions.append(words)
        return len(self.questions) <= self.agrees

    def warn(self, words: str) -> None:
        """Said in passing."""


def agreed(ui: Asked, looks: list[list[Owed]], monkeypatch: pytest.MonkeyPatch) -> bool:
    answers = iter(looks)
    monkeypatch.setattr(paying, "_due_now", lambda _: (cast(list[Due], next(answers)), dict[int, str]()))
    monkeypatch.setattr(views, "dues", lambda *_, **__: None)
    return paying.agreed_to_pay(cast(Ui, ui), cast(ContractsApp, Path()))


def test_what_falls_due_while_the_question_stands_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: Any = [[Owed(1)], [Owed(1), Owed(2)], [Owed(1), Owed(2)]]
    yes = Asked(2)
    assert agreed(yes, looks, monkeypatch)
    assert [words[:16] for words in yes.questions] == ["Send 1 payment, ", "Send 2 payments,"]
    no = Asked(1)
    assert not agreed(no, looks, monkeypatch)


def test_what_is_less_than_was_agreed_to_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ui = Asked(1)
    assert agreed(ui, [[Owed(1), Owed(2)], [Owed(2)]], monkeypatch)
    assert len(ui.questions) == 1
    assert agreed(Asked(0), [[]], monkeypatch)
