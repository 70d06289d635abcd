"""Every setting: what it takes by its field in `Settings`, and what it is by the words of `.env.example`.

Tests of the settings hold `.env.example` against the class: each name is there once, with the default of the class.
"""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass
from enum import EnumMeta
from pathlib import Path
from typing import Any

from docs.generate.markdown import code, escaped, table
from valtrac.settings import PREFIX, Settings

NUMBERS: dict[Any, str] = {int: "a whole number", float: "a number"}
BOUNDS = {"ge": "from", "gt": "above", "le": "to", "lt": "below"}
READERS = {
    "_words": "words with commas",
    "_tao": "TAO",
    "_bts": "BTS",
    "_qtum": "QTUM",
    "_tbtc": "TBTC",
    "_gwei": "gwei",
    "_share": "a part: 25% or 0.25",
    "_percent": "percent",
    "_overrides": "ADDRESS=PERCENT with commas",
}
EXAMPLE = Path(__file__).parent.parent.parent / ".env.example"
EXAMPLES = {PREFIX + "HOME"}  # what stands behind these there is no default
HEADING = re.compile(r"# -- (.+?) -+$")
SETTING = re.compile(r"#(VALTRAC_[A-Z0-9_]+)=(.*)")
INTRODUCTION = """# Settings

A setting is a line in the file `.env`, or a variable of the environment, which goes before the file. Copy
`.env.example` to `.env` and take the `#` away where you want something else than the default. An unknown name or a bad
value is an error that names it. There is no setting for a password or a key, on purpose.

"""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Settings that are explained together; without any, words about a chapter. settings: (name, default)."""

    words: str
    settings: tuple[tuple[str, str], ...]


def page() -> str:
    """The page of all settings, chapter by chapter as the example has them."""
    parts = [INTRODUCTION.rstrip() + "\n"]
    for title, paragraphs in chapters(EXAMPLE.read_text(encoding="utf-8")).items():
        rows = [
            (code(name), code(default) if default else "", escaped(takes(name)), escaped(paragraph.words))
            for paragraph in paragraphs
            for name, default in paragraph.settings
        ]
        words = [escaped(paragraph.words) + "\n" for paragraph in paragraphs if not paragraph.settings]
        parts.append(
            "\n".join([f"## {title}\n", *words, ""]) + table(("setting", "default", "takes", "what it is"), rows)
        )
    return "\n".join(parts)


def chapters(text: str) -> dict[str, list[Paragraph]]:
    """title -> paragraphs, of a settings file in which everything is commented out."""
    found: dict[str, list[Paragraph]] = {}
    title = "Payouts on Bittensor, and the program"
    for block in text.split("\n\n"):
        words, settings = [], []
        for line in block.splitlines():
            if heading := HEADING.fullmatch(line):
                title, _, more = heading[1].partition(". ")
                found[title] = [Paragraph(more, ())] if more else []
            elif setting := SETTING.fullmatch(line):
                settings.append((setting[1], "" if setting[1] in EXAMPLES else setting[2]))
            else:
                words.append(line.removeprefix("#").strip())
        if settings:
            found.setdefault(title, []).append(Paragraph(" ".join(words), tuple(settings)))
    return found


def takes(name: str) -> str:
    """What may be written there, in a word or two; "" where the words about it have to say."""
    field = Settings.model_fields.get(name.removeprefix(PREFIX).lower())
    if field is None:
        return "a file"
    choices = _choices(field.annotation)
    if choices:
        return " or ".join([", ".join(choices[:-1]), choices[-1]])
    for each in field.metadata:
        reader = getattr(getattr(each, "func", None), "__name__", "")
        if reader in READERS:
            return READERS[reader]
    if field.annotation not in NUMBERS:
        return "a path" if field.annotation is Path else ""
    bounds = [
        f"{words} {getattr(each, bound)}"
        for each in field.metadata
        for bound, words in BOUNDS.items()
        if hasattr(each, bound)
    ]
    return " ".join([NUMBERS[field.annotation], *bounds])


def _choices(annotation: Any) -> list[str]:
    if annotation is bool:
        return ["yes", "no"]
    if typing.get_origin(annotation) is typing.Literal:
        return [str(each) for each in typing.get_args(annotation)]
    members: list[Any] = list(annotation) if isinstance(annotation, EnumMeta) else []
    return [str(each.value) for each in members]
