"""Feeding spoiled inputs to each reader in turn, and judging what comes of it."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.spoiling import spoiled
from tests.fuzz.targets import Target, World, targets
from valtrac.core.errors import ValtracError

ANEW_EVERY = 4_000  # inputs: what good ones have stored is thrown away then


@dataclass
class Verdict:
    """by_target: name -> (inputs taken, inputs refused in words). wrong: what should not have happened, in words."""

    inputs: int = 0
    tracebacks: int = 0
    changes: int = 0
    by_target: dict[str, tuple[int, int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.tracebacks or self.changes)

    @property
    def line(self) -> str:
        return f"fuzz: inputs={self.inputs} tracebacks={self.tracebacks} state_changes={self.changes}"


def fuzz(
    folder: Path, inputs: int, seed: int, *, only: str = "", tell: Callable[[str], None] = lambda words: None
) -> Verdict:
    """Feed so many inputs, all told, to the readers in turn."""
    verdict, done = Verdict(), 0
    while done < inputs:
        world = World(folder / f"world{done}")
        known = [target for target in targets(world) if only in target.name]
        try:
            for number in range(done, min(done + ANEW_EVERY, inputs)):
                target = known[number % len(known)]
                _one(verdict, world, target, random.Random(f"{seed} {number}"), number)
        finally:
            world.close()
        done = min(done + ANEW_EVERY, inputs)
        tell(f"{done:,} inputs")
    return verdict


def _one(verdict: Verdict, world: World, target: Target, dice: random.Random, number: int) -> None:
    text = spoiled(target.good, dice)
    before = _version(world)
    taken, refused = verdict.by_target.get(target.name, (0, 0))
    verdict.inputs += 1
    try:
        target.read(text)
        verdict.by_target[target.name] = (taken + 1, refused)
        changed = not target.stores and _version(world) != before
    except Exception as error:
        changed = _version(world) != before
        if not isinstance(error, (ValtracError, *target.refusals)):
            verdict.tracebacks += 1
            verdict.wrong.append(f"{number} {target.name}: {text[:200]!r}\n{traceback.format_exc(limit=-4)}")
        elif not str(error).strip():
            verdict.tracebacks += 1
            verdict.wrong.append(f"{number} {target.name}: refused without a word: {type(error).__name__}")
        verdict.by_target[target.name] = (taken, refused + 1)
    if changed:
        verdict.changes += 1
        verdict.wrong.append(f"{number} {target.name}: the database was changed by {text[:200]!r}")


def _version(world: World) -> tuple[int, ...]:
    """What tells whether somebody else has committed anything since this connection looked last."""
    return tuple(int(watcher.execute("PRAGMA data_version").fetchone()[0]) for watcher in world.watchers)
