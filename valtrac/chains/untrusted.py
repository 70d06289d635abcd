"""Answers that nobody believes, on any chain."""

from __future__ import annotations

from typing import Any

from valtrac.core.text import plain

_U64 = 2**64


class Untrusted(Exception):
    """The node answered with something that cannot be so."""


class Missing(Untrusted):
    """The node does not have what was asked for, or no longer."""


def whole(value: Any, what: str, below: int = _U64) -> int:
    """A whole number, 0 <= value < below."""
    if type(value) is not int or not 0 <= value < below:
        raise Untrusted(f"{what} is {plain(repr(value), 60)}")
    return value
