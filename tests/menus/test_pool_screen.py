"""The pool's screen, by keys: from an empty folder to the first payday, and everything that can be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from menus import actions
from menus.pool.screens import qtum_pool
from tests.menus.conftest import CTRL_C, line, menu, pick
from valtrac.devnet import qtum
from valtrac.rehearsal import pool as rehearsal

Press = Callable[..., str]
ENTRIES = [name for name, said in vars(qtum_pool).items() if said in actions.titles_of(qtum_pool)]
WIN, DAY, WAIT, JOIN, LEAVE, UNDO = (pick(number) for number in range(1, 7))
YES = line("y")


def entry(name: str) -> str:
    """The keys that choose an entry of the pool's screen."""
    return pick(ENTRIES.index(name) + 1)


@pytest.fixture
def pool(home: Path, monkeypatch: pytest.MonkeyPatch, press: Press) -> Iterator[Press]:
    """Press keys within the pool's screen, on a small rehearsal chain."""
    monkeypatch.setenv("VALTRAC_QTUM_MATURITY", "10")
    monkeypatch.setenv("VALTRAC_QTUM_FINAL_BLOCKS", "2")
    soon = datetime.now(UTC) + timedelta(minutes=100)  # a payday within two hours of blocks
    monkeypatch.setenv("VALTRAC_POOL_PAYDAY_HOUR", str(soon.hour))
    yield lambda *keys: press(menu(qtum_pool.TITLE), *keys)
    qtum.stop(home / "data" / "qtum-devnet")


def test_from_nothing_to_the_first_payday_in_the_menu(pool: Press, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no node yet" in pool()
    said = pool(entry("REHEARSE"), WIN)
    assert "The rehearsal node is made" in said and "was won for a delegate" in said
    said = pool(entry("PAY"), entry("REHEARSE"), WIN, entry("REHEARSE"), WAIT, line("230"), entry("PAY"), YES)
    assert "Nothing is due" in said
    assert "payday of" in said and "final" in said, said
    said = pool(*map(entry, ("NOW", "DELEGATES", "REWARDS", "PREVIEW", "PAYOUTS", "CHECK", "AUDIT")))
    assert "Looked at up to block" in said and "landed" in said and "unexplained" in said.lower()
    said = pool(
        entry("HISTORY"), pick(1), pick(1), entry("HISTORY"), pick(1), pick(2), entry("EXPLAIN"), pick(1), pick(1)
    )
    assert "share" in said and "payday" in said
    written = sorted(path.suffix for path in (home / "data" / "statements").iterdir())
    assert written == [".html", ".json"] and "1 payment written to" in said
    said = pool(entry("REHEARSE"), JOIN, pick(5), entry("REHEARSE"), UNDO, line("3"), entry("STOP"), entry("UNLOCK"))
    assert "eve: " in said and "does not run" in said
    monkeypatch.setattr(rehearsal, "BLOCKS_A_DAY", 20)
    assert "A day went by" in pool(entry("REHEARSE"), DAY)


def test_going_back_and_senseless_answers_change_nothing(pool: Press, home: Path) -> None:
    said = pool(entry("NOW"), entry("HISTORY"), entry("IMPORT"), line(str(home / "nothing")), entry("IMPORT"), line(""))
    assert "make it: run.py pool rehearse" in said and "there is nothing called" in said
    pool(entry("REHEARSE"), CTRL_C)
    assert "The chain is at block" not in pool(entry("REHEARSE"), WAIT, line("many"), CTRL_C)
