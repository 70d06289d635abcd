"""Text that people or chains wrote, made safe for a screen, a log and a spreadsheet."""

from __future__ import annotations

import unicodedata

_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'", "＝", "＋", "－", "＠")
_BEFORE = ";,|\t \u00a0\u3000"  # what a program that splits cells elsewhere takes for the end of one


def storable(words: str, limit: int = 2_000) -> str:
    """Words as they came, without what a database cannot hold: NUL, lone surrogates, and more than the limit."""
    return words[:limit].replace("\0", "").encode("utf-8", "replace").decode()


def plain(text: object, limit: int = 200) -> str:
    """The text with every control, bidirectional or invisible character shown as a dot.

    Safe for a terminal and for one line of a log. Markup of a screen library is that
    library's matter: the screen file prints such text without reading markup in it.
    """
    clean = "".join("·" if unicodedata.category(c) in _HARMFUL else c for c in str(text))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def is_plain(text: str) -> bool:
    """Whether nothing in the text would have to be masked."""
    return not any(unicodedata.category(c) in _HARMFUL for c in text)


def csv_cell(text: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    clean = plain(text, 10_000)
    return "'" + clean if _runs(clean) else clean


def csv_uncell(text: str) -> str:
    """A cell written by `csv_cell`, read back."""
    return text[1:] if text.startswith("'") and _runs(text[1:]) else text


def _runs(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula, also one that takes a sign before it for a new cell."""
    return cell.startswith(_FORMULA) or cell.lstrip(_BEFORE).startswith(_FORMULA)


def nearest(word: str, known: set[str]) -> str:
    """`; did you mean ...?` for a word that is nearly one of those that are known, or ""."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
