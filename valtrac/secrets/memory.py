"""Keeping the memory of a process that holds a key to itself."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4


def keep_to_itself() -> None:
    """From now on a crash leaves no core file, and no other process of the user may read this one's memory.

    A system that knows nothing of it goes on as before: it is a second wall, not the first.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # cores that are piped to a program heed only this
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
