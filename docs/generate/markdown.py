"""Text as Markdown: nothing in it is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SIGNS = r"([\\*_<\[\]|`])"


def escaped(text: str) -> str:
    """Words in which * _ < [ mean themselves, also in a cell of a table; what stands between backticks stays code, and
    line breaks become blanks."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(code(part[1:-1]) if place % 2 else re.sub(SIGNS, r"\\\1", part) for place, part in enumerate(parts))


def code(text: str) -> str:
    """A word as code, also in a cell of a table."""
    return "`" + text.replace("|", "\\|") + "`"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already; "" where there is no row."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(titles)} |", "|" + "---|" * len(titles), *lines, ""]) if lines else ""
