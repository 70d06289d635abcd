"""The background jobs, one file each, found by themselves.

A job has WORD (what `logger run` calls it), STARTED_BY (the command that puts it under pm2), and
`run(hotkey)`, which works in the foreground until it is told to stop.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from valtrac.core.errors import BadInput
from valtrac.core.text import plain


def found() -> dict[str, ModuleType]:
    """word -> job, by the alphabet."""
    modules = [import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return {module.WORD: module for module in sorted(modules, key=lambda module: str(module.WORD))}


def job(word: str) -> ModuleType:
    """The job of a word. Raises BadInput."""
    jobs = found()
    if word not in jobs:
        raise BadInput(f"there is no logger {plain(word, 40)!r}", fix=f"there are: {', '.join(jobs)}")
    return jobs[word]


def started_by(command: str) -> dict[str, str]:
    """name under pm2 -> word, of the jobs that one command starts together."""
    return {module.NAME: word for word, module in found().items() if command == module.STARTED_BY}
