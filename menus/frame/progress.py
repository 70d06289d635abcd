"""A bar for long work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from valtrac.core.text import plain

Progress = Callable[[int, int, str], None]


@contextmanager
def bar(on: Console, title: str) -> Iterator[Progress]:
    """A bar that is gone again afterwards; yields tell(done, total, words)."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        console=on,
        transient=True,
    ) as drawn:
        task = drawn.add_task("", total=None, title=plain(title), words="")

        def tell(done: int, total: int, words: str) -> None:
            drawn.update(task, completed=done, total=total, words=plain(words))

        yield tell
