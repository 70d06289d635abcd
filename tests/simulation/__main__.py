"""`make simulate-bitshares`: SEED= and DAYS= in the environment; the last line is the verdict."""

from __future__ import annotations

import os
import sys

from tests.simulation.year import simulate


def main() -> int:
    seed, days = int(os.environ.get("SEED") or 1), int(os.environ.get("DAYS") or 365)
    result = simulate(seed=seed, days=days, tell=lambda words: print(words, flush=True))
    print(f"seed {seed}, {days} days, {result.contracts} contracts, in {result.took_s:.0f} s")
    print("troubles: " + ", ".join(f"{name} {count}" for name, count in sorted(result.faults.items())))
    print("events: " + ", ".join(f"{name} {count}" for name, count in sorted(result.happened.items())))
    for one in result.verdict.twice[:20]:
        print(f"paid twice: {one}")
    for place in result.verdict.forgotten[:20]:
        print(f"forgotten: {place}")
    for words in result.unexplained[:20]:
        print(f"unexplained: {words}")
    print(result.line)
    return 0 if not (result.verdict.twice or result.verdict.forgotten or result.unexplained) else 1


if __name__ == "__main__":
    sys.exit(main())
