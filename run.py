#!/usr/bin/env python3
"""ValTrac. Without arguments: the menus. With arguments: one command (see --help)."""

from __future__ import annotations

import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
sys.path.insert(0, str(CHECKOUT))
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run the menus or one command; return its exit code. Never shows a traceback."""
    try:
        from menus import console
    except KeyboardInterrupt:
        return INTERRUPTED
    return console.main(arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
