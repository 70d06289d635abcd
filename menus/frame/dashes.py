"""`-` in the place of a file: standard input where a command reads, standard output where it writes.

A command only knows files: what comes in is put into one first, what it wrote is handed out afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from valtrac.core.errors import BadInput

DASH = "-"
# what a file begins with -> the ending by which its reader knows it
ENDINGS = {b"PAR1": ".parquet", b"SQLite": ".sqlite", b"{": ".json", b"[": ".json"}
OPEN_DOCUMENT = b"opendocument"
# what commands write where nothing else is said; everything else is a table
WRITTEN = {"chart": ".svg", "proof": ".json", "statement": ".html"}
OUT = "standard output"

_folder: list[Path] = []  # of the command that runs now
_written: list[Path] = []
_arguments: list[str] = []


@contextmanager
def session(arguments: Sequence[str]) -> Iterator[None]:
    """While a command runs: where its dashes lead. Hands out what was written, whatever it ended with."""
    with TemporaryDirectory(prefix="valtrac-") as folder:
        _folder.append(Path(folder))
        _arguments[:] = arguments
        try:
            yield
            for path in _written:
                if path.exists():
                    sys.stdout.flush()
                    sys.stdout.buffer.write(path.read_bytes())
                    sys.stdout.buffer.flush()
        finally:
            _folder.clear()
            _written.clear()


def named(words: str) -> str:
    """Words in which the file that stands for standard output is called that."""
    for path in _written:
        words = words.replace(str(path), OUT)
    return words


def is_output(path: Path | None) -> bool:
    """Whether a file stands for standard output: nothing else is to be written there then."""
    return path in _written


def attach(command: Any) -> None:
    """Let every file of a command, and of those under it, be a dash."""
    for each in getattr(command, "commands", {}).values():
        attach(each)
    for parameter in command.params:
        if parameter.type_descriptor.is_path:
            writes = parameter.name == "out" or command.name == "export"
            parameter.process_value = partial(_processed, parameter.process_value, command.name, writes)


def _processed(process: Callable[..., Any], command: str, writes: bool, ctx: Any, value: Any) -> Any:
    if value != DASH or not _folder:
        return process(ctx, value)
    return process(ctx, str(_place_for(command) if writes else _read()))


def _place_for(command: str) -> Path:
    said = [_arguments[n + 1] for n, word in enumerate(_arguments[:-1]) if word == "--format"]
    path = _folder[-1] / f"out{'.' + said[0] if said else WRITTEN.get(command, '.csv')}"
    _written.append(path)
    return path


def _read() -> Path:
    """What comes in, as a file with the ending of what it is. Raises BadInput where nothing does."""
    if sys.stdin.isatty():
        raise BadInput("standard input is this terminal: nothing comes in", fix="pipe a file in, or name one")
    stream = getattr(sys.stdin, "buffer", None)
    content: bytes = stream.read() if stream is not None else sys.stdin.read().encode()
    ending = next((ending for begin, ending in ENDINGS.items() if content.lstrip().startswith(begin)), ".csv")
    if content.startswith(b"PK"):
        ending = ".ods" if OPEN_DOCUMENT in content[:200] else ".xlsx"
    path = _folder[-1] / f"in{ending}"
    path.write_bytes(content)
    return path
