"""What this program is called by: `run.py` in a checkout, `valtrac` where it is installed."""

from __future__ import annotations

import sys
from pathlib import Path

IN_A_CHECKOUT, INSTALLED = "run.py", "valtrac"


def name() -> str:
    """As it was called."""
    return INSTALLED if Path(sys.argv[0]).name == INSTALLED else IN_A_CHECKOUT


def named(words: str) -> str:
    """Words in which commands are called as this program is."""
    called = name()
    return words if called == IN_A_CHECKOUT else words.replace(f"{IN_A_CHECKOUT} ", f"{called} ")
