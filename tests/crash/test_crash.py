"""The short form of `make crash`: a few points of every play, chosen by a fixed seed."""

from __future__ import annotations

from tests.crash.__main__ import play_all, table
from tests.crash.worlds import PLAYS


def test_whoever_dies_anywhere_pays_everyone_once(tmp_path) -> None:
    verdicts = play_all(tmp_path, 24, seed=7)
    assert [verdict for verdict in verdicts if not verdict.good] == []
    assert {verdict.play for verdict in verdicts} <= {play.name for play in PLAYS}
    assert len(verdicts) == 24, table(verdicts)
    assert all(verdict.reached for verdict in verdicts)
