"""`make simulate-qtum`: SEED= and DAYS= in the environment; the last line is the verdict."""

from __future__ import annotations

import os
import sys

from tests.simulation_qtum.month import simulate


def main() -> int:
    seed, days = int(os.environ.get("SEED") or 1), int(os.environ.get("DAYS") or 30)
    people = int(os.environ.get("PEOPLE") or 500)
    result = simulate(seed=seed, days=days, people=people, tell=lambda words: print(words, flush=True))
    print(f"seed {seed}, {days} days, {people} people, {result.paydays} paydays, in {result.took_s:.0f} s")
    print("troubles: " + ", ".join(f"{name} {count}" for name, count in sorted(result.troubles.items())))
    print("the job: " + ", ".join(f"{name} {count}" for name, count in sorted(result.said.items())))
    for words in result.unexplained[:20]:
        print(f"unexplained: {words}")
    print(result.line)
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())
