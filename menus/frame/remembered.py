"""What was chosen last, so that it is offered first: in a small file of the owner's. Nothing depends on it: where it
cannot be read or written, nothing is remembered."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

LARGEST = 100_000  # bytes


class Remembered:
    """name of a question -> what was answered. file: where it is kept; None: nowhere."""

    def __init__(self, file: Path | None = None) -> None:
        self._file, self._known = file, dict[str, str]()
        if file is None:
            return
        with suppress(OSError, ValueError):
            if file.stat().st_size <= LARGEST:
                read = json.loads(file.read_text(encoding="utf-8"))
                if isinstance(read, dict):
                    self._known = {str(name): value for name, value in read.items() if isinstance(value, str)}

    def last(self, name: str) -> str:
        """What was answered last; "" where nothing was."""
        return self._known.get(name, "")

    def keep(self, name: str, answer: str) -> None:
        """Remember an answer."""
        if self._known.get(name) == answer:
            return
        self._known[name] = answer
        if self._file is not None:
            from valtrac.core.home import write_for_its_owner

            with suppress(OSError):
                write_for_its_owner(self._file, json.dumps(self._known, indent=2).encode())
