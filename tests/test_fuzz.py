"""A short form of `make fuzz`: what is spoiled is refused in words, and changes nothing."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fuzz import run
from tests.fuzz.run import fuzz
from tests.fuzz.spoiling import spoiled
from tests.fuzz.targets import NOISE, Target, World, targets
from valtrac.core.errors import ValtracError


@pytest.mark.parametrize("seed", [1])
def test_spoiled_inputs_are_refused_in_words_and_change_nothing(tmp_path: Path, seed: int) -> None:
    verdict = fuzz(tmp_path, 1_500, seed)
    assert verdict.line == "fuzz: inputs=1500 tracebacks=0 state_changes=0", verdict.wrong[:5]
    assert min(map(sum, verdict.by_target.values())) > 30  # each was fed
    assert sum(refused for _, refused in verdict.by_target.values()) > 700
    assert sum(taken for taken, _ in verdict.by_target.values()) > 200


def test_what_is_spoiled_was_good_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    for target in targets(world):
        taken = 0
        for text in target.good:
            with suppress(ValtracError, *target.refusals):
                target.read(text)
                taken += 1
        assert taken or target.name in NOISE, target.name
    world.close()


def test_the_same_seed_spoils_the_same_way() -> None:
    good = [b"Name,Address1\nann,5x\n"]
    assert spoiled(good, random.Random(4)) == spoiled(good, random.Random(4))
    assert len({spoiled(good, random.Random(number)) for number in range(100)}) > 80


def test_a_traceback_and_a_change_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stores_and_fails(world: World) -> list[Target]:
        def read(text: bytes) -> object:
            world.payouts.day(1)
            raise ZeroDivisionError("by zero")

        return [Target("bad", [b"x"], read)]

    monkeypatch.setattr(run, "targets", stores_and_fails)
    verdict = fuzz(tmp_path, 2, 1)
    assert (verdict.tracebacks, verdict.changes, verdict.good) == (2, 2, False)
