"""The lines of a settings file: what is not understood is named with its line, never passed over. Pure."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Collection
from difflib import get_close_matches

from dotenv.parser import parse_stream

from valtrac.core.text import nearest, plain

MOST_LETTERS = 60
ALIKE = 0.85  # from here on a name is taken for one of ours that was mistyped


def parse(text: str, prefix: str, known: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """(name -> value of every setting of ours, what is wrong, each with its line).

    prefix: how the names of ours begin. known: those there are. Names of other programs are passed over; what is
    nearly one of ours is not, for a cap that is lost silently is no cap. No value is repeated: it may be a secret.
    """
    values, problems = dict[str, str](), list[str]()
    if text.startswith("\ufeff"):
        problems.append("line 1 begins with a letter that nobody sees (U+FEFF); save it without a byte-order mark")
    for binding in parse_stream(io.StringIO(text)):
        line, name = binding.original.line + _blank_lines(binding.original.string), binding.key
        if binding.error:
            problems.append(f"line {line} is not understood; write NAME=value, and close what is quoted")
        elif name is None:
            continue
        elif odd := _invisible(binding.original.string.partition("=")[0]):
            problems.append(f"line {line}: the name {plain(name, MOST_LETTERS)!r} holds {odd}; type it anew")
        elif binding.value is None:
            problems.append(f"line {line}: {plain(name, MOST_LETTERS)} has no = after it")
        elif meant := _nearly_ours(name, prefix, known):
            problems.append(f"line {line}: {plain(name, MOST_LETTERS)}: no such setting{meant}")
        else:
            values[name] = binding.value
    return values, problems


def odd_names(names: Collection[str], prefix: str) -> list[str]:
    """What is wrong with names of an environment that would be ours but for a letter that nobody sees."""
    return [
        f"{plain(name, MOST_LETTERS)!r} holds {odd}; type it anew"
        for name in sorted(names)
        if (odd := _invisible(name)) and prefix.strip("_") in "".join(filter(str.isascii, name)).upper()
    ]


def _invisible(name: str) -> str:
    """What a name holds that is no plain letter, in words, or ""."""
    for letter in name:
        if not letter.isascii():
            seen = unicodedata.category(letter) not in ("Cf", "Cc", "Zs", "Zl", "Zp", "Mn")
            words = "a letter that only looks like a plain one" if seen else "a letter that nobody sees"
            return f"{words} (U+{ord(letter):04X})"
    return ""


def _nearly_ours(name: str, prefix: str, known: Collection[str]) -> str:
    """Words about a name that does not begin like ours and is nearly one of ours, or ""."""
    upper = name.upper()
    if upper.startswith(prefix) or not get_close_matches(upper, known, 1, ALIKE):
        return ""
    return nearest(upper, set(known))


def _blank_lines(text: str) -> int:
    """How many empty lines stand before the words of a binding, which belong to it."""
    return text[: len(text) - len(text.lstrip())].count("\n")
