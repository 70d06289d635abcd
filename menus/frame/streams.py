"""Where words and records go: streams that may be full, closed, or lack a letter."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, Literal

from valtrac.core.errors import ValtracError
from valtrac.core.text import plain


class Stream:
    """stdout or stderr as it is at the moment of writing.

    A letter that its encoding lacks is written as a question mark. Words on stderr that cannot be written are lost,
    and nothing else is. Raises ValtracError for a record on stdout that cannot be written, BrokenPipeError where its
    reader has left.
    """

    def __init__(self, name: Literal["stdout", "stderr"]) -> None:
        self._name = name

    def write(self, text: str) -> int:
        """Write text; return how many letters that were, as files do."""
        with _Told(self._name):
            self._real.write(_spelled(text, self._real.encoding))
        return len(text)

    def flush(self) -> None:
        """Hand over what was written."""
        with _Told(self._name):
            self._real.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @property
    def _real(self) -> Any:
        """The stream itself: while something turns on the screen, another one stands before it."""
        now = getattr(sys, self._name)
        return getattr(now, "rich_proxied_file", now)


class _Told:
    """What happens to an error of writing: told where records are lost, passed over where words are."""

    def __init__(self, name: str) -> None:
        self._records = name == "stdout"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, OSError | ValueError):
            return False
        if not self._records:
            return True
        if isinstance(error, BrokenPipeError):
            return False
        raise ValtracError(
            "what was to be shown cannot be written",
            why=plain(getattr(error, "strerror", None) or error),
            fix="make room, or send it elsewhere, and ask again",
        ) from error


def begin() -> None:
    """Have every word of this program written with the letters that there are.

    A stream that was closed before we began is one that keeps nothing: its number would go to the next file that is
    opened, the database say, and words meant for the screen into that.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            if nothing != number:
                os.dup2(nothing, number)
                os.close(nothing)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def end() -> None:
    """Hand over what is left. Raises as `Stream` does."""
    Stream("stdout").flush()


def let_go() -> None:
    """Hand over what is left where that can be done, and forget the rest, so that the interpreter's own last try says
    nothing and leaves the exit code alone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _spelled(text: str, encoding: str | None) -> str:
    """The text with what an encoding lacks replaced."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
