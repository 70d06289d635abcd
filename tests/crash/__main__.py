"""`make crash`: many points, two at a time; POINTS= and SEED= choose them, and reproduce any."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.alerts.test_crash import ALERTS, SIGKILLED, TOLD, told_after_dying
from tests.crash.harness import Verdict, command_of, play_point, side_of, steps_of
from tests.crash.worlds import PLAYS, Play


def main() -> int:
    """Play the points, print the table and the closing line; 1 when anything is wrong."""
    points, seed = int(os.environ.get("POINTS", "1000")), int(os.environ.get("SEED", "1"))
    print(f"crash: points={points} seed={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="vt-crash-") as folder:
        verdicts = play_all(Path(folder), points, seed)
    print(table(verdicts))
    for verdict in verdicts:
        if not verdict.good:
            print(f"WRONG {verdict}")
    good = sum(verdict.good for verdict in verdicts)
    twice, lost = sum(verdict.twice for verdict in verdicts), sum(verdict.lost for verdict in verdicts)
    unexplained = sum(len(verdict.unexplained) for verdict in verdicts)
    print(f"crash: points={len(verdicts)} paid_once={good} paid_twice={twice} lost={lost} unexplained={unexplained}")
    outbox = outbox_points()
    return 0 if good == len(verdicts) >= 1 and outbox else 1


def outbox_points() -> bool:
    """Kill whoever tells before each thing that he writes down, and before and after each message; whether every alert
    arrived, once or twice with the same code."""
    steps = [*(step for step in TOLD), *(f"commit:{number}" for number in range(1, 100))]
    points = once = twice = lost = odd = 0
    for step in steps:
        with tempfile.TemporaryDirectory(prefix="vt-crash-") as folder:
            ended, arrived = told_after_dying(Path(folder), step)
        if ended != SIGKILLED and step.startswith("commit:"):
            break
        points += 1
        counts = [arrived.count(code) for code in ALERTS]
        once, twice, lost = once + counts.count(1), twice + counts.count(2), lost + counts.count(0)
        odd += len(set(arrived) - set(ALERTS)) + sum(count > 2 for count in counts)
    print(f"crash-outbox: points={points} told_once={once} told_twice_by_one_code={twice} lost={lost} odd={odd}")
    return points > len(TOLD) and not lost and not odd


def play_all(folder: Path, points: int, seed: int, *, workers: int = 2) -> list[Verdict]:
    """Prepare each play once, choose points among all steps of all plays, and play them.

    Fewer points than steps: drawn by the seed, every kind of step first. More: all, then again, on
    worlds prepared anew. Only points that were reached count.
    """
    verdicts: list[Verdict] = []
    round_ = 0
    while len(verdicts) < points:
        todo: list[tuple[Path, Path, Play, int, str, int, str]] = []
        for place, play in enumerate(PLAYS):
            base = folder / f"r{round_}-{place}"
            template, scratch = base / "template", base / "points"
            scratch.mkdir(parents=True)
            batch_id, total = side_of(play).prepared(template, play)
            names = steps_of(template, scratch, play, command_of(play, batch_id, total))
            todo += [(template, scratch, play, batch_id, total, number, name) for number, name in enumerate(names, 1)]
        chosen = drawn(todo, points - len(verdicts), random.Random(seed + round_))
        with ThreadPoolExecutor(workers) as pool:
            for verdict in pool.map(lambda one: play_point(*one[:6]), chosen):
                if verdict.reached or not verdict.good:
                    verdicts.append(verdict)
                    if len(verdicts) % 100 == 0:
                        print(f"crash: {len(verdicts)} points played", flush=True)
        round_ += 1
        if round_ > points:
            break
    return verdicts


def drawn(
    todo: list[tuple[Path, Path, Play, int, str, int, str]], most: int, dice: random.Random
) -> list[tuple[Path, Path, Play, int, str, int, str]]:
    """At most so many points, one of each (play, step) before a second of any."""
    dice.shuffle(todo)
    seen: Counter[tuple[str, str]] = Counter()
    ranked = []
    for one in todo:
        ranked.append((seen[one[2].name, one[6]], one))
        seen[one[2].name, one[6]] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [one for _, one in ranked[:most]]


def table(verdicts: list[Verdict]) -> str:
    """A row per step: how often it was died at, and how often all was well."""
    died, good = Counter(v.step for v in verdicts), Counter(v.step for v in verdicts if v.good)
    rows = [f"| {'step':<28} | {'died here':>9} | {'paid once':>9} |", f"|{'-' * 30}|{'-' * 11}|{'-' * 11}|"]
    return "\n".join([*rows, *(f"| {step:<28} | {died[step]:>9} | {good[step]:>9} |" for step in sorted(died))])


if __name__ == "__main__":
    sys.exit(main())
