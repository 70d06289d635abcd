"""`make simulate-keeps`: SEED= and KEEPS= in the environment; the last line is the verdict."""

from __future__ import annotations

import os
import sys

from tests.simulation_keeps.crash import simulate
from valtrac.devnet.tbtc import anvil


def main() -> int:
    if anvil.found() is None:
        print("there is no anvil here: make tools")
        return 1
    seed, keeps = int(os.environ.get("SEED") or 1), int(os.environ.get("KEEPS") or 50)
    moments = int(os.environ.get("MOMENTS") or 24)
    result = simulate(seed=seed, keeps=keeps, moments=moments, tell=lambda words: print(words, flush=True))
    print(f"seed {seed}, {keeps} keeps, {moments} moments, in {result.took_s:.0f} s")
    print("troubles: " + ", ".join(f"{name} {count}" for name, count in sorted(result.troubles.items())))
    print("rounds: " + ", ".join(f"{name} {count}" for name, count in sorted(result.said.items())))
    print(
        f"proven on Bitcoin {result.proven}, asked for by others {result.by_others}, liquidated {result.lost}, "
        f"allowances open {result.allowed}"
    )
    for words in result.wrong[:20]:
        print(f"wrong: {words}")
    print(result.line)
    return 0 if result.good else 1


if __name__ == "__main__":
    sys.exit(main())
