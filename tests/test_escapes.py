"""Strings that say what they look like: an octal escape, such as the start of CSS's arrow, is a control character."""

from __future__ import annotations

import re
import tokenize

import pytest

from tests.architecture import ROOT, sources

TESTS = sorted((ROOT / "tests").rglob("*.py"))
# a backslash and digits are a character by its octal number; alone, \0 and \1 are bytes that protocols ask for
OCTAL = re.compile(r"(?<!\\)(?:\\\\)*\\(?![01](?![0-9]))[0-7]")


def octal_escapes(text: str) -> list[str]:
    """The octal escapes in the source of a string; a raw one has none."""
    start = re.match(r"[A-Za-z]*", text)
    return [] if start and "r" in start[0].lower() else OCTAL.findall(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('"\\2192"', 1),
        ('"a \\12"', 1),
        ('"\\012"', 1),
        ('"\\0"', 0),
        ('r"\\2192"', 0),
        ('"\\\\2192"', 0),
        ('"\\n2"', 0),
    ],
)
def test_an_octal_escape_is_seen(text: str, number: int) -> None:
    assert len(octal_escapes(text)) == number


def test_no_string_has_an_octal_escape() -> None:
    wrong = []
    for path in [*sources(), *TESTS]:
        with tokenize.open(path) as file:
            for token in tokenize.generate_tokens(file.readline):
                if token.type == tokenize.STRING and octal_escapes(token.string):
                    wrong.append(f"{path.relative_to(ROOT)}:{token.start[0]}")
    assert wrong == []
