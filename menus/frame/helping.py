"""What `?` tells: what this screen is for, the words that stand on it, and the keys."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from menus.frame.chooser import ALL_KEYS

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def explained(about: str, question: str, titles: Sequence[str], glossary: Mapping[str, str]) -> str:
    """The explanation as text with colours of our own. about: what the screen is for, "" where nobody said;
    glossary: term -> what it means; only terms that stand here are told."""
    here = " ".join([about, question, *titles]).casefold()
    terms = [term for term in glossary if re.search(rf"\b{re.escape(term.casefold())}", here)]
    parts = [about] if about else []
    if terms:
        parts.append("\n".join([_head("Words"), *(f"{term}: {glossary[term]}" for term in terms)]))
    parts.append("\n".join([_head("Keys"), *ALL_KEYS]))
    return "\n\n".join(parts)


def _head(words: str) -> str:
    return f"{BOLD}{words}{PLAIN}"
