"""`make fuzz`: INPUTS= and SEED= in the environment; the last line is the verdict."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.fuzz.run import fuzz


def main() -> int:
    inputs, seed = int(os.environ.get("INPUTS") or 100_000), int(os.environ.get("SEED") or 1)
    with tempfile.TemporaryDirectory(prefix="vt-fuzz-") as folder:
        verdict = fuzz(Path(folder), inputs, seed, tell=lambda words: print(words, flush=True))
    for name, (taken, refused) in sorted(verdict.by_target.items()):
        print(f"{taken:8,} taken {refused:8,} refused  {name}")
    for words in verdict.wrong[:20]:
        print(words)
    print(verdict.line)
    return 0 if verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
