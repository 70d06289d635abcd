"""The short form of `make crash`: every play dies at least once, and every kind of step is died at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.harness import play_point, side_of
from tests.crash.launcher import KINDS
from tests.crash.worlds import PLAYS, Play
from valtrac.devnet.tbtc import anvil

# The play's name -> the steps to die at, each at its first time; `make crash` dies at all others, too.
DEATHS = {
    "send": ("before sign", "after sign", "within write payout_log", "after fsync"),
    "send, reply lost": ("after outcome", "before write payout_log"),
    "send, request lost": ("before broadcast", "after next_index", "after swaps_announced"),
    "send, node down": ("before commit",),
    "reconcile after a send died": ("after block", "before outcome"),
    "resume after a send died": ("after broadcast", "before next_index", "before swaps_announced"),
    "approve": ("after commit",),
    "set a payment aside": ("before commit",),
    "release what was set aside": ("after estimate_fee", "before limits"),
    "listen": ("before named", "after read_memo"),
    "listen again from an older block": ("before accounts", "after accounts", "before read_memo"),
    "pay what is due": ("before decode", "after named", "after limits"),
    "pay, reply lost": ("after write payout_log", "before finalized"),
    "pay, request lost": ("after decode", "before estimate_fee"),
    "pay after a payer died": ("before block", "before fsync", "after finalized"),
    "pay a delinquent one by hand": ("before identity", "after identity"),
    "look at blocks of a pool": ("after staked", "before coins"),
    "keep a payday": ("before rival", "after rpc", "after replace"),
    "keep a payday, reply lost": ("after rival", "before replace"),
    "keep a payday, request lost": ("after coins", "before staked"),
    "a payday after its payer died": ("before rpc",),
    "redeem keeps": ("after broadcast",),
    "redeem keeps after their payer died": (),  # a long one: only `make crash` dies in it
    "prove redemptions": ("after signature",),
}


def test_every_kind_of_step_is_died_at() -> None:
    assert {step for steps in DEATHS.values() for step in steps} == {*KINDS, "within write payout_log"}


@pytest.mark.parametrize("play", [play for play in PLAYS if DEATHS[play.name]], ids=lambda play: play.name)
def test_whoever_dies_anywhere_pays_everyone_once(tmp_path: Path, play: Play) -> None:
    if play.keeps and anvil.found() is None:
        pytest.skip("there is no anvil here: make tools")
    template = tmp_path / "template"
    batch_id, total = side_of(play).prepared(template, play)
    for step in DEATHS[play.name]:
        verdict = play_point(template, tmp_path, play, batch_id, total, step)
        assert verdict.reached, verdict
        assert verdict.good, verdict
