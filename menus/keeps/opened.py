"""The watch's side, opened for one command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from menus.frame.commands import loaded
from valtrac.wiring.keeps import KeepsApp

T = TypeVar("T")


def with_app(act: Callable[[KeepsApp], T]) -> T:
    """Do something with the watch, and close it."""
    own = KeepsApp(loaded())
    try:
        return act(own)
    finally:
        own.close()
