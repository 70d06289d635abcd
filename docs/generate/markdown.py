"""Text as Markdown: nothing in it is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def escaped(text: str) -> str:
    """Words in which * _ < [ | mean themselves, also in a cell of a table; line breaks become blanks."""
    return re.sub(r"([\\*_<\[\]|`])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A word as code, also in a cell of a table."""
    return "`" + text.replace("|", "\\|") + "`"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already; "" where there is no row."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(titles)} |", "|" + "---|" * len(titles), *lines, ""]) if lines else ""
